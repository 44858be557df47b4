# SPDX-License-Identifier: Apache-2.0
# Cross-compile to aarch64 with Debian's multiarch libraries; unit tests then run under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_ASM_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
# Static, so that qemu-user needs no aarch64 loader and libstdc++ beside it.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
# Only this architecture's .pc files, or pkg-config would answer for the build machine.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_PATH} "")
set(CMAKE_LIBRARY_PATH /usr/lib/aarch64-linux-gnu)
set(CMAKE_IGNORE_PATH /usr/lib/x86_64-linux-gnu /usr/lib /usr/lib/x86_64-linux-gnu/cmake)
list(APPEND CMAKE_PREFIX_PATH /usr/lib/aarch64-linux-gnu)
