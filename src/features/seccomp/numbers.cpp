// SPDX-License-Identifier: Apache-2.0
#include "numbers.hpp"

#include <seccomp.h>

#include <array>
#include <cstddef>
#include <iterator>
#include <string_view>

namespace davit::seccomp {
namespace {

constexpr std::uint32_t kX32Bit = 0x40000000;

/// Where a call has no number, or one of libseccomp's own below zero, libseccomp is asked.
struct Call {
  std::string_view name;
  std::int16_t numbers[3];  ///< in the order of kTokens
};

// clang-format off
#if defined(__x86_64__)
constexpr std::uint32_t kTokens[] = {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32};
#define CALL(name, x86_64, x86, x32, aarch64, arm) {#name, {x86_64, x86, x32}}
#else
constexpr std::uint32_t kTokens[] = {SCMP_ARCH_AARCH64, SCMP_ARCH_ARM};
#define CALL(name, x86_64, x86, x32, aarch64, arm) {#name, {aarch64, arm}}
#endif

// The kernel never gives a number to another call.
constexpr Call kCalls[] = {
    CALL(_llseek, -1, 140, -1, -1, 140), CALL(_newselect, -1, 142, -1, -1, 142),
    CALL(_sysctl, 156, 149, -1, -1, 149), CALL(accept, 43, -1, 43, 202, 285),
    CALL(accept4, 288, -1, 288, 242, 366), CALL(access, 21, 33, 21, -1, 33),
    CALL(acct, 163, 51, 163, 89, 51), CALL(add_key, 248, 286, 248, 217, 309),
    CALL(adjtimex, 159, 124, 159, 171, 124), CALL(afs_syscall, 183, 137, 183, -1, -1),
    CALL(alarm, 37, 27, 37, -1, -1), CALL(arch_prctl, 158, 384, 158, -1, -1),
    CALL(arm_fadvise64_64, -1, -1, -1, -1, 270), CALL(arm_sync_file_range, -1, -1, -1, -1, 341),
    CALL(bdflush, -1, 134, -1, -1, 134), CALL(bind, 49, -1, 49, 200, 282),
    CALL(bpf, 321, 357, 321, 280, 386), CALL(break, -1, 17, -1, -1, -1),
    CALL(brk, 12, 45, 12, 214, 45), CALL(cachestat, 451, 451, 451, 451, 451),
    CALL(capget, 125, 184, 125, 90, 184), CALL(capset, 126, 185, 126, 91, 185),
    CALL(chdir, 80, 12, 80, 49, 12), CALL(chmod, 90, 15, 90, -1, 15),
    CALL(chown, 92, 182, 92, -1, 182), CALL(chown32, -1, 212, -1, -1, 212),
    CALL(chroot, 161, 61, 161, 51, 61), CALL(clock_adjtime, 305, 343, 305, 266, 372),
    CALL(clock_adjtime64, -1, 405, -1, -1, 405), CALL(clock_getres, 229, 266, 229, 114, 264),
    CALL(clock_getres_time64, -1, 406, -1, -1, 406), CALL(clock_gettime, 228, 265, 228, 113, 263),
    CALL(clock_gettime64, -1, 403, -1, -1, 403), CALL(clock_nanosleep, 230, 267, 230, 115, 265),
    CALL(clock_nanosleep_time64, -1, 407, -1, -1, 407), CALL(clock_settime, 227, 264, 227, 112, 262),
    CALL(clock_settime64, -1, 404, -1, -1, 404), CALL(clone, 56, 120, 56, 220, 120),
    CALL(clone3, 435, 435, 435, 435, 435), CALL(close, 3, 6, 3, 57, 6),
    CALL(close_range, 436, 436, 436, 436, 436), CALL(connect, 42, -1, 42, 203, 283),
    CALL(copy_file_range, 326, 377, 326, 285, 391), CALL(creat, 85, 8, 85, -1, 8),
    CALL(create_module, 174, 127, -1, -1, -1), CALL(delete_module, 176, 129, 176, 106, 129),
    CALL(dup, 32, 41, 32, 23, 41), CALL(dup2, 33, 63, 33, -1, 63),
    CALL(dup3, 292, 330, 292, 24, 358), CALL(epoll_create, 213, 254, 213, -1, 250),
    CALL(epoll_create1, 291, 329, 291, 20, 357), CALL(epoll_ctl, 233, 255, 233, 21, 251),
    CALL(epoll_ctl_old, 214, -1, -1, -1, -1), CALL(epoll_pwait, 281, 319, 281, 22, 346),
    CALL(epoll_pwait2, 441, 441, 441, 441, 441), CALL(epoll_wait, 232, 256, 232, -1, 252),
    CALL(epoll_wait_old, 215, -1, -1, -1, -1), CALL(eventfd, 284, 323, 284, -1, 351),
    CALL(eventfd2, 290, 328, 290, 19, 356), CALL(execve, 59, 11, 520, 221, 11),
    CALL(execveat, 322, 358, 545, 281, 387), CALL(exit, 60, 1, 60, 93, 1),
    CALL(exit_group, 231, 252, 231, 94, 248), CALL(faccessat, 269, 307, 269, 48, 334),
    CALL(faccessat2, 439, 439, 439, 439, 439), CALL(fadvise64, 221, 250, 221, 223, -1),
    CALL(fadvise64_64, -1, 272, -1, -1, -1), CALL(fallocate, 285, 324, 285, 47, 352),
    CALL(fanotify_init, 300, 338, 300, 262, 367), CALL(fanotify_mark, 301, 339, 301, 263, 368),
    CALL(fchdir, 81, 133, 81, 50, 133), CALL(fchmod, 91, 94, 91, 52, 94),
    CALL(fchmodat, 268, 306, 268, 53, 333), CALL(fchmodat2, 452, 452, 452, 452, 452),
    CALL(fchown, 93, 95, 93, 55, 95), CALL(fchown32, -1, 207, -1, -1, 207),
    CALL(fchownat, 260, 298, 260, 54, 325), CALL(fcntl, 72, 55, 72, 25, 55),
    CALL(fcntl64, -1, 221, -1, -1, 221), CALL(fdatasync, 75, 148, 75, 83, 148),
    CALL(fgetxattr, 193, 231, 193, 10, 231), CALL(finit_module, 313, 350, 313, 273, 379),
    CALL(flistxattr, 196, 234, 196, 13, 234), CALL(flock, 73, 143, 73, 32, 143),
    CALL(fork, 57, 2, 57, -1, 2), CALL(fremovexattr, 199, 237, 199, 16, 237),
    CALL(fsconfig, 431, 431, 431, 431, 431), CALL(fsetxattr, 190, 228, 190, 7, 228),
    CALL(fsmount, 432, 432, 432, 432, 432), CALL(fsopen, 430, 430, 430, 430, 430),
    CALL(fspick, 433, 433, 433, 433, 433), CALL(fstat, 5, 108, 5, 80, 108),
    CALL(fstat64, -1, 197, -1, -1, 197), CALL(fstatat64, -1, 300, -1, -1, 327),
    CALL(fstatfs, 138, 100, 138, 44, 100), CALL(fstatfs64, -1, 269, -1, -1, 267),
    CALL(fsync, 74, 118, 74, 82, 118), CALL(ftime, -1, 35, -1, -1, -1),
    CALL(ftruncate, 77, 93, 77, 46, 93), CALL(ftruncate64, -1, 194, -1, -1, 194),
    CALL(futex, 202, 240, 202, 98, 240), CALL(futex_requeue, 456, 456, 456, 456, 456),
    CALL(futex_time64, -1, 422, -1, -1, 422), CALL(futex_wait, 455, 455, 455, 455, 455),
    CALL(futex_waitv, 449, 449, 449, 449, 449), CALL(futex_wake, 454, 454, 454, 454, 454),
    CALL(futimesat, 261, 299, 261, -1, 326), CALL(get_kernel_syms, 177, 130, -1, -1, -1),
    CALL(get_mempolicy, 239, 275, 239, 236, 320), CALL(get_robust_list, 274, 312, 531, 100, 339),
    CALL(get_thread_area, 211, 244, -1, -1, -1), CALL(getcpu, 309, 318, 309, 168, 345),
    CALL(getcwd, 79, 183, 79, 17, 183), CALL(getdents, 78, 141, 78, -1, 141),
    CALL(getdents64, 217, 220, 217, 61, 217), CALL(getegid, 108, 50, 108, 177, 50),
    CALL(getegid32, -1, 202, -1, -1, 202), CALL(geteuid, 107, 49, 107, 175, 49),
    CALL(geteuid32, -1, 201, -1, -1, 201), CALL(getgid, 104, 47, 104, 176, 47),
    CALL(getgid32, -1, 200, -1, -1, 200), CALL(getgroups, 115, 80, 115, 158, 80),
    CALL(getgroups32, -1, 205, -1, -1, 205), CALL(getitimer, 36, 105, 36, 102, 105),
    CALL(getpeername, 52, -1, 52, 205, 287), CALL(getpgid, 121, 132, 121, 155, 132),
    CALL(getpgrp, 111, 65, 111, -1, 65), CALL(getpid, 39, 20, 39, 172, 20),
    CALL(getpmsg, 181, 188, 181, -1, -1), CALL(getppid, 110, 64, 110, 173, 64),
    CALL(getpriority, 140, 96, 140, 141, 96), CALL(getrandom, 318, 355, 318, 278, 384),
    CALL(getresgid, 120, 171, 120, 150, 171), CALL(getresgid32, -1, 211, -1, -1, 211),
    CALL(getresuid, 118, 165, 118, 148, 165), CALL(getresuid32, -1, 209, -1, -1, 209),
    CALL(getrlimit, 97, 76, 97, 163, -1), CALL(getrusage, 98, 77, 98, 165, 77),
    CALL(getsid, 124, 147, 124, 156, 147), CALL(getsockname, 51, -1, 51, 204, 286),
    CALL(getsockopt, 55, -1, 542, 209, 295), CALL(gettid, 186, 224, 186, 178, 224),
    CALL(gettimeofday, 96, 78, 96, 169, 78), CALL(getuid, 102, 24, 102, 174, 24),
    CALL(getuid32, -1, 199, -1, -1, 199), CALL(getxattr, 191, 229, 191, 8, 229),
    CALL(gtty, -1, 32, -1, -1, -1), CALL(idle, -1, 112, -1, -1, -1),
    CALL(init_module, 175, 128, 175, 105, 128), CALL(inotify_add_watch, 254, 292, 254, 27, 317),
    CALL(inotify_init, 253, 291, 253, -1, 316), CALL(inotify_init1, 294, 332, 294, 26, 360),
    CALL(inotify_rm_watch, 255, 293, 255, 28, 318), CALL(io_cancel, 210, 249, 210, 3, 247),
    CALL(io_destroy, 207, 246, 207, 1, 244), CALL(io_getevents, 208, 247, 208, 4, 245),
    CALL(io_pgetevents, 333, 385, 333, 292, 399), CALL(io_pgetevents_time64, -1, 416, -1, -1, 416),
    CALL(io_setup, 206, 245, 543, 0, 243), CALL(io_submit, 209, 248, 544, 2, 246),
    CALL(io_uring_enter, 426, 426, 426, 426, 426), CALL(io_uring_register, 427, 427, 427, 427, 427),
    CALL(io_uring_setup, 425, 425, 425, 425, 425), CALL(ioctl, 16, 54, 514, 29, 54),
    CALL(ioperm, 173, 101, 173, -1, -1), CALL(iopl, 172, 110, 172, -1, -1),
    CALL(ioprio_get, 252, 290, 252, 31, 315), CALL(ioprio_set, 251, 289, 251, 30, 314),
    CALL(ipc, -1, 117, -1, -1, -1), CALL(kcmp, 312, 349, 312, 272, 378),
    CALL(kexec_file_load, 320, -1, 320, 294, 401), CALL(kexec_load, 246, 283, 528, 104, 347),
    CALL(keyctl, 250, 288, 250, 219, 311), CALL(kill, 62, 37, 62, 129, 37),
    CALL(landlock_add_rule, 445, 445, 445, 445, 445), CALL(landlock_create_ruleset, 444, 444, 444, 444, 444),
    CALL(landlock_restrict_self, 446, 446, 446, 446, 446), CALL(lchown, 94, 16, 94, -1, 16),
    CALL(lchown32, -1, 198, -1, -1, 198), CALL(lgetxattr, 192, 230, 192, 9, 230),
    CALL(link, 86, 9, 86, -1, 9), CALL(linkat, 265, 303, 265, 37, 330),
    CALL(listen, 50, -1, 50, 201, 284), CALL(listxattr, 194, 232, 194, 11, 232),
    CALL(llistxattr, 195, 233, 195, 12, 233), CALL(lock, -1, 53, -1, -1, -1),
    CALL(lookup_dcookie, 212, 253, 212, 18, 249), CALL(lremovexattr, 198, 236, 198, 15, 236),
    CALL(lseek, 8, 19, 8, 62, 19), CALL(lsetxattr, 189, 227, 189, 6, 227),
    CALL(lstat, 6, 107, 6, -1, 107), CALL(lstat64, -1, 196, -1, -1, 196),
    CALL(madvise, 28, 219, 28, 233, 220), CALL(map_shadow_stack, 453, 453, -1, 453, 453),
    CALL(mbind, 237, 274, 237, 235, 319), CALL(membarrier, 324, 375, 324, 283, 389),
    CALL(memfd_create, 319, 356, 319, 279, 385), CALL(memfd_secret, 447, 447, 447, 447, -1),
    CALL(migrate_pages, 256, 294, 256, 238, 400), CALL(mincore, 27, 218, 27, 232, 219),
    CALL(mkdir, 83, 39, 83, -1, 39), CALL(mkdirat, 258, 296, 258, 34, 323),
    CALL(mknod, 133, 14, 133, -1, 14), CALL(mknodat, 259, 297, 259, 33, 324),
    CALL(mlock, 149, 150, 149, 228, 150), CALL(mlock2, 325, 376, 325, 284, 390),
    CALL(mlockall, 151, 152, 151, 230, 152), CALL(mmap, 9, 90, 9, 222, -1),
    CALL(mmap2, -1, 192, -1, -1, 192), CALL(modify_ldt, 154, 123, 154, -1, -1),
    CALL(mount, 165, 21, 165, 40, 21), CALL(mount_setattr, 442, 442, 442, 442, 442),
    CALL(move_mount, 429, 429, 429, 429, 429), CALL(move_pages, 279, 317, 533, 239, 344),
    CALL(mprotect, 10, 125, 10, 226, 125), CALL(mpx, -1, 56, -1, -1, -1),
    CALL(mq_getsetattr, 245, 282, 245, 185, 279), CALL(mq_notify, 244, 281, 527, 184, 278),
    CALL(mq_open, 240, 277, 240, 180, 274), CALL(mq_timedreceive, 243, 280, 243, 183, 277),
    CALL(mq_timedreceive_time64, -1, 419, -1, -1, 419), CALL(mq_timedsend, 242, 279, 242, 182, 276),
    CALL(mq_timedsend_time64, -1, 418, -1, -1, 418), CALL(mq_unlink, 241, 278, 241, 181, 275),
    CALL(mremap, 25, 163, 25, 216, 163), CALL(msgctl, 71, -1, 71, 187, 304),
    CALL(msgget, 68, -1, 68, 186, 303), CALL(msgrcv, 70, -1, 70, 188, 302),
    CALL(msgsnd, 69, -1, 69, 189, 301), CALL(msync, 26, 144, 26, 227, 144),
    CALL(munlock, 150, 151, 150, 229, 151), CALL(munlockall, 152, 153, 152, 231, 153),
    CALL(munmap, 11, 91, 11, 215, 91), CALL(name_to_handle_at, 303, 341, 303, 264, 370),
    CALL(nanosleep, 35, 162, 35, 101, 162), CALL(newfstatat, 262, -1, 262, 79, -1),
    CALL(nfsservctl, 180, 169, -1, 42, 169), CALL(nice, -1, 34, -1, -1, 34),
    CALL(oldfstat, -1, 28, -1, -1, -1), CALL(oldlstat, -1, 84, -1, -1, -1),
    CALL(oldolduname, -1, 59, -1, -1, -1), CALL(oldstat, -1, 18, -1, -1, -1),
    CALL(olduname, -1, 109, -1, -1, -1), CALL(open, 2, 5, 2, -1, 5),
    CALL(open_by_handle_at, 304, 342, 304, 265, 371), CALL(open_tree, 428, 428, 428, 428, 428),
    CALL(openat, 257, 295, 257, 56, 322), CALL(openat2, 437, 437, 437, 437, 437),
    CALL(pause, 34, 29, 34, -1, 29), CALL(pciconfig_iobase, -1, -1, -1, -1, 271),
    CALL(pciconfig_read, -1, -1, -1, -1, 272), CALL(pciconfig_write, -1, -1, -1, -1, 273),
    CALL(perf_event_open, 298, 336, 298, 241, 364), CALL(personality, 135, 136, 135, 92, 136),
    CALL(pidfd_getfd, 438, 438, 438, 438, 438), CALL(pidfd_open, 434, 434, 434, 434, 434),
    CALL(pidfd_send_signal, 424, 424, 424, 424, 424), CALL(pipe, 22, 42, 22, -1, 42),
    CALL(pipe2, 293, 331, 293, 59, 359), CALL(pivot_root, 155, 217, 155, 41, 218),
    CALL(pkey_alloc, 330, 381, 330, 289, 395), CALL(pkey_free, 331, 382, 331, 290, 396),
    CALL(pkey_mprotect, 329, 380, 329, 288, 394), CALL(poll, 7, 168, 7, -1, 168),
    CALL(ppoll, 271, 309, 271, 73, 336), CALL(ppoll_time64, -1, 414, -1, -1, 414),
    CALL(prctl, 157, 172, 157, 167, 172), CALL(pread64, 17, 180, 17, 67, 180),
    CALL(preadv, 295, 333, 534, 69, 361), CALL(preadv2, 327, 378, 546, 286, 392),
    CALL(prlimit64, 302, 340, 302, 261, 369), CALL(process_madvise, 440, 440, 440, 440, 440),
    CALL(process_mrelease, 448, 448, 448, 448, 448), CALL(process_vm_readv, 310, 347, 539, 270, 376),
    CALL(process_vm_writev, 311, 348, 540, 271, 377), CALL(prof, -1, 44, -1, -1, -1),
    CALL(profil, -1, 98, -1, -1, -1), CALL(pselect6, 270, 308, 270, 72, 335),
    CALL(pselect6_time64, -1, 413, -1, -1, 413), CALL(ptrace, 101, 26, 521, 117, 26),
    CALL(putpmsg, 182, 189, 182, -1, -1), CALL(pwrite64, 18, 181, 18, 68, 181),
    CALL(pwritev, 296, 334, 535, 70, 362), CALL(pwritev2, 328, 379, 547, 287, 393),
    CALL(query_module, 178, 167, -1, -1, -1), CALL(quotactl, 179, 131, 179, 60, 131),
    CALL(quotactl_fd, 443, 443, 443, 443, 443), CALL(read, 0, 3, 0, 63, 3),
    CALL(readahead, 187, 225, 187, 213, 225), CALL(readdir, -1, 89, -1, -1, -1),
    CALL(readlink, 89, 85, 89, -1, 85), CALL(readlinkat, 267, 305, 267, 78, 332),
    CALL(readv, 19, 145, 515, 65, 145), CALL(reboot, 169, 88, 169, 142, 88),
    CALL(recv, -1, -1, -1, -1, 291), CALL(recvfrom, 45, -1, 517, 207, 292),
    CALL(recvmmsg, 299, -1, 537, 243, 365), CALL(recvmmsg_time64, -1, 417, -1, -1, 417),
    CALL(recvmsg, 47, -1, 519, 212, 297), CALL(remap_file_pages, 216, 257, 216, 234, 253),
    CALL(removexattr, 197, 235, 197, 14, 235), CALL(rename, 82, 38, 82, -1, 38),
    CALL(renameat, 264, 302, 264, 38, 329), CALL(renameat2, 316, 353, 316, 276, 382),
    CALL(request_key, 249, 287, 249, 218, 310), CALL(restart_syscall, 219, 0, 219, 128, 0),
    CALL(rmdir, 84, 40, 84, -1, 40), CALL(rseq, 334, 386, 334, 293, 398),
    CALL(rt_sigaction, 13, 174, 512, 134, 174), CALL(rt_sigpending, 127, 176, 522, 136, 176),
    CALL(rt_sigprocmask, 14, 175, 14, 135, 175), CALL(rt_sigqueueinfo, 129, 178, 524, 138, 178),
    CALL(rt_sigreturn, 15, 173, 513, 139, 173), CALL(rt_sigsuspend, 130, 179, 130, 133, 179),
    CALL(rt_sigtimedwait, 128, 177, 523, 137, 177), CALL(rt_sigtimedwait_time64, -1, 421, -1, -1, 421),
    CALL(rt_tgsigqueueinfo, 297, 335, 536, 240, 363), CALL(sched_get_priority_max, 146, 159, 146, 125, 159),
    CALL(sched_get_priority_min, 147, 160, 147, 126, 160), CALL(sched_getaffinity, 204, 242, 204, 123, 242),
    CALL(sched_getattr, 315, 352, 315, 275, 381), CALL(sched_getparam, 143, 155, 143, 121, 155),
    CALL(sched_getscheduler, 145, 157, 145, 120, 157), CALL(sched_rr_get_interval, 148, 161, 148, 127, 161),
    CALL(sched_rr_get_interval_time64, -1, 423, -1, -1, 423), CALL(sched_setaffinity, 203, 241, 203, 122, 241),
    CALL(sched_setattr, 314, 351, 314, 274, 380), CALL(sched_setparam, 142, 154, 142, 118, 154),
    CALL(sched_setscheduler, 144, 156, 144, 119, 156), CALL(sched_yield, 24, 158, 24, 124, 158),
    CALL(seccomp, 317, 354, 317, 277, 383), CALL(security, 185, -1, 185, -1, -1),
    CALL(select, 23, 82, 23, -1, -1), CALL(semctl, 66, -1, 66, 191, 300),
    CALL(semget, 64, -1, 64, 190, 299), CALL(semop, 65, -1, 65, 193, 298),
    CALL(semtimedop, 220, -1, 220, 192, 312), CALL(semtimedop_time64, -1, 420, -1, -1, 420),
    CALL(send, -1, -1, -1, -1, 289), CALL(sendfile, 40, 187, 40, 71, 187),
    CALL(sendfile64, -1, 239, -1, -1, 239), CALL(sendmmsg, 307, -1, 538, 269, 374),
    CALL(sendmsg, 46, -1, 518, 211, 296), CALL(sendto, 44, -1, 44, 206, 290),
    CALL(set_mempolicy, 238, 276, 238, 237, 321), CALL(set_mempolicy_home_node, 450, 450, 450, 450, 450),
    CALL(set_robust_list, 273, 311, 530, 99, 338), CALL(set_thread_area, 205, 243, -1, -1, -1),
    CALL(set_tid_address, 218, 258, 218, 96, 256), CALL(setdomainname, 171, 121, 171, 162, 121),
    CALL(setfsgid, 123, 139, 123, 152, 139), CALL(setfsgid32, -1, 216, -1, -1, 216),
    CALL(setfsuid, 122, 138, 122, 151, 138), CALL(setfsuid32, -1, 215, -1, -1, 215),
    CALL(setgid, 106, 46, 106, 144, 46), CALL(setgid32, -1, 214, -1, -1, 214),
    CALL(setgroups, 116, 81, 116, 159, 81), CALL(setgroups32, -1, 206, -1, -1, 206),
    CALL(sethostname, 170, 74, 170, 161, 74), CALL(setitimer, 38, 104, 38, 103, 104),
    CALL(setns, 308, 346, 308, 268, 375), CALL(setpgid, 109, 57, 109, 154, 57),
    CALL(setpriority, 141, 97, 141, 140, 97), CALL(setregid, 114, 71, 114, 143, 71),
    CALL(setregid32, -1, 204, -1, -1, 204), CALL(setresgid, 119, 170, 119, 149, 170),
    CALL(setresgid32, -1, 210, -1, -1, 210), CALL(setresuid, 117, 164, 117, 147, 164),
    CALL(setresuid32, -1, 208, -1, -1, 208), CALL(setreuid, 113, 70, 113, 145, 70),
    CALL(setreuid32, -1, 203, -1, -1, 203), CALL(setrlimit, 160, 75, 160, 164, 75),
    CALL(setsid, 112, 66, 112, 157, 66), CALL(setsockopt, 54, -1, 541, 208, 294),
    CALL(settimeofday, 164, 79, 164, 170, 79), CALL(setuid, 105, 23, 105, 146, 23),
    CALL(setuid32, -1, 213, -1, -1, 213), CALL(setxattr, 188, 226, 188, 5, 226),
    CALL(sgetmask, -1, 68, -1, -1, -1), CALL(shmat, 30, -1, 30, 196, 305),
    CALL(shmctl, 31, -1, 31, 195, 308), CALL(shmdt, 67, -1, 67, 197, 306),
    CALL(shmget, 29, -1, 29, 194, 307), CALL(shutdown, 48, -1, 48, 210, 293),
    CALL(sigaction, -1, 67, -1, -1, 67), CALL(sigaltstack, 131, 186, 525, 132, 186),
    CALL(signal, -1, 48, -1, -1, -1), CALL(signalfd, 282, 321, 282, -1, 349),
    CALL(signalfd4, 289, 327, 289, 74, 355), CALL(sigpending, -1, 73, -1, -1, 73),
    CALL(sigprocmask, -1, 126, -1, -1, 126), CALL(sigreturn, -1, 119, -1, -1, 119),
    CALL(sigsuspend, -1, 72, -1, -1, 72), CALL(socket, 41, -1, 41, 198, 281),
    CALL(socketcall, -1, 102, -1, -1, -1), CALL(socketpair, 53, -1, 53, 199, 288),
    CALL(splice, 275, 313, 275, 76, 340), CALL(ssetmask, -1, 69, -1, -1, -1),
    CALL(stat, 4, 106, 4, -1, 106), CALL(stat64, -1, 195, -1, -1, 195),
    CALL(statfs, 137, 99, 137, 43, 99), CALL(statfs64, -1, 268, -1, -1, 266),
    CALL(statx, 332, 383, 332, 291, 397), CALL(stime, -1, 25, -1, -1, -1),
    CALL(stty, -1, 31, -1, -1, -1), CALL(swapoff, 168, 115, 168, 225, 115),
    CALL(swapon, 167, 87, 167, 224, 87), CALL(symlink, 88, 83, 88, -1, 83),
    CALL(symlinkat, 266, 304, 266, 36, 331), CALL(sync, 162, 36, 162, 81, 36),
    CALL(sync_file_range, 277, 314, 277, 84, -1), CALL(syncfs, 306, 344, 306, 267, 373),
    CALL(sysfs, 139, 135, 139, -1, 135), CALL(sysinfo, 99, 116, 99, 179, 116),
    CALL(syslog, 103, 103, 103, 116, 103), CALL(tee, 276, 315, 276, 77, 342),
    CALL(tgkill, 234, 270, 234, 131, 268), CALL(time, 201, 13, 201, -1, -1),
    CALL(timer_create, 222, 259, 526, 107, 257), CALL(timer_delete, 226, 263, 226, 111, 261),
    CALL(timer_getoverrun, 225, 262, 225, 109, 260), CALL(timer_gettime, 224, 261, 224, 108, 259),
    CALL(timer_gettime64, -1, 408, -1, -1, 408), CALL(timer_settime, 223, 260, 223, 110, 258),
    CALL(timer_settime64, -1, 409, -1, -1, 409), CALL(timerfd_create, 283, 322, 283, 85, 350),
    CALL(timerfd_gettime, 287, 326, 287, 87, 354), CALL(timerfd_gettime64, -1, 410, -1, -1, 410),
    CALL(timerfd_settime, 286, 325, 286, 86, 353), CALL(timerfd_settime64, -1, 411, -1, -1, 411),
    CALL(times, 100, 43, 100, 153, 43), CALL(tkill, 200, 238, 200, 130, 238),
    CALL(truncate, 76, 92, 76, 45, 92), CALL(truncate64, -1, 193, -1, -1, 193),
    CALL(tuxcall, 184, -1, 184, -1, -1), CALL(ugetrlimit, -1, 191, -1, -1, 191),
    CALL(ulimit, -1, 58, -1, -1, -1), CALL(umask, 95, 60, 95, 166, 60),
    CALL(umount, -1, 22, -1, -1, -1), CALL(umount2, 166, 52, 166, 39, 52),
    CALL(uname, 63, 122, 63, 160, 122), CALL(unlink, 87, 10, 87, -1, 10),
    CALL(unlinkat, 263, 301, 263, 35, 328), CALL(unshare, 272, 310, 272, 97, 337),
    CALL(uselib, 134, 86, -1, -1, 86), CALL(userfaultfd, 323, 374, 323, 282, 388),
    CALL(ustat, 136, 62, 136, -1, 62), CALL(utime, 132, 30, 132, -1, -1),
    CALL(utimensat, 280, 320, 280, 88, 348), CALL(utimensat_time64, -1, 412, -1, -1, 412),
    CALL(utimes, 235, 271, 235, -1, 269), CALL(vfork, 58, 190, 58, -1, 190),
    CALL(vhangup, 153, 111, 153, 58, 111), CALL(vm86, -1, 166, -1, -1, -1),
    CALL(vm86old, -1, 113, -1, -1, -1), CALL(vmsplice, 278, 316, 532, 75, 343),
    CALL(vserver, 236, 273, -1, -1, 313), CALL(wait4, 61, 114, 61, 260, 114),
    CALL(waitid, 247, 284, 529, 95, 280), CALL(waitpid, -1, 7, -1, -1, -1),
    CALL(write, 1, 4, 1, 64, 4), CALL(writev, 20, 146, 516, 66, 146),
};
#undef CALL
// clang-format on

constexpr std::size_t kSlots = 1024;
static_assert(std::size(kCalls) < kSlots / 2);

constexpr std::size_t slot_of(std::string_view name) {
  std::uint32_t hash = 2166136261;
  for (const char letter : name) hash = (hash ^ static_cast<std::uint8_t>(letter)) * 16777619;
  return (hash ^ hash >> 16) % kSlots;
}

/// A hash table of one plus the index of a call; 0: free.
constexpr std::array<std::uint16_t, kSlots> kTable = [] {
  std::array<std::uint16_t, kSlots> table{};
  for (std::size_t i = 0; i < std::size(kCalls); ++i) {
    std::size_t slot = slot_of(kCalls[i].name);
    while (table[slot] != 0) slot = (slot + 1) % kSlots;
    table[slot] = static_cast<std::uint16_t>(i + 1);
  }
  return table;
}();

const Call* find(std::string_view name) {
  for (std::size_t slot = slot_of(name); kTable[slot] != 0; slot = (slot + 1) % kSlots)
    if (kCalls[kTable[slot] - 1].name == name) return &kCalls[kTable[slot] - 1];
  return nullptr;
}

}  // namespace

int number_of(std::uint32_t token, const std::string& name) {
  for (std::size_t i = 0; i < std::size(kTokens); ++i) {
    if (kTokens[i] != token) continue;
    const Call* call = find(name);
    if (call == nullptr || call->numbers[i] < 0) break;
    const auto number = static_cast<std::uint32_t>(call->numbers[i]);
    return static_cast<int>(token == SCMP_ARCH_X32 ? number | kX32Bit : number);
  }
  return ::seccomp_syscall_resolve_name_arch(token, name.c_str());
}

}  // namespace davit::seccomp
