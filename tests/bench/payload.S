// SPDX-License-Identifier: Apache-2.0
// A program without a libc: called "...e" (pause) it sleeps for good, by any other name (nothing) it ends at once.
  .globl _start
_start:
  mov 8(%rsp), %rsi          // argv[0]
1:
  lodsb                      // to its end
  test %al, %al
  jnz 1b
  cmpb $'e', -2(%rsi)
  je 2f
  mov $60, %eax              // exit(0)
  xor %edi, %edi
  syscall
2:
  mov $34, %eax              // pause()
  syscall
  jmp 2b
  .section .note.GNU-stack, "", @progbits
