# SPDX-License-Identifier: Apache-2.0
# Has davit print its man pages and completions into the directory OUT; DAVIT is the call, GZIP the compressor.
function(ask out)
  execute_process(COMMAND ${DAVIT} completion ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

function(write_page name)
  ask(text man ${ARGN})
  file(WRITE ${OUT}/man/${name}.1 "${text}")
  execute_process(COMMAND ${GZIP} -9nf ${OUT}/man/${name}.1 COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${OUT})
write_page(davit)
# What may follow "davit" is its commands, a line each, with a tab before what they do.
ask(lines next "")
string(REGEX REPLACE "\t[^\n]*\n" ";" commands "${lines}")
foreach(command IN LISTS commands)
  if(command)
    write_page(davit-${command} ${command})
  endif()
endforeach()

foreach(shell bash zsh fish)
  ask(text ${shell})
  file(WRITE ${OUT}/completion.${shell} "${text}")
endforeach()
execute_process(COMMAND ${GZIP} -9nc ${CHANGELOG} OUTPUT_FILE ${OUT}/changelog.gz COMMAND_ERROR_IS_FATAL ANY)
