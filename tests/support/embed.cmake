# SPDX-License-Identifier: Apache-2.0
# davit_embed(TARGET NAME FILE): the bytes of FILE inside of TARGET, between embedded_NAME and embedded_NAME_end.
function(davit_embed target name file)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${name}.S)
  file(GENERATE OUTPUT ${source} CONTENT
"    .section .rodata.embedded_${name}, \"a\"
    .globl embedded_${name}
    .globl embedded_${name}_end
embedded_${name}:
    .incbin \"${file}\"
embedded_${name}_end:
    .section .note.GNU-stack, \"\"
")
  set_source_files_properties(${source} PROPERTIES GENERATED TRUE OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${source})
endfunction()
