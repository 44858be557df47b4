# SPDX-License-Identifier: Apache-2.0
# Writes an assembler file that embeds IMAGE between two symbols.
file(WRITE "${OUT}" "    .section .rodata.davit_init_image, \"a\"
    .balign 4096
    .globl davit_init_image_begin
    .globl davit_init_image_end
davit_init_image_begin:
    .incbin \"${IMAGE}\"
davit_init_image_end:
    .section .note.GNU-stack, \"\"
")
