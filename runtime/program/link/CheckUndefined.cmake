# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# cmake -DNM= -DOBJECT= -DLIBRARIES= -P CheckUndefined.cmake
# Fails, and removes OBJECT, if it needs more than lori_step, what every linker
# defines, and what the dynamic LIBRARIES define.

function(lori_read_symbols result)
  execute_process(COMMAND ${NM} ${ARGN}
    OUTPUT_VARIABLE output RESULT_VARIABLE status ERROR_VARIABLE error)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${NM}: ${error}")
  endif()
  string(REGEX MATCHALL "[^ \n]+\n" names "${output}\n")
  list(TRANSFORM names REPLACE "[@\n].*$" "")
  set(${result} ${names} PARENT_SCOPE)
endfunction()

lori_read_symbols(missing -u --no-weak ${OBJECT})
list(REMOVE_ITEM missing lori_step _GLOBAL_OFFSET_TABLE_ _DYNAMIC
  __dso_handle __ehdr_start __executable_start __bss_start _end end _etext etext
  _edata edata __init_array_start __init_array_end __fini_array_start
  __fini_array_end __preinit_array_start __preinit_array_end
  __rela_iplt_start __rela_iplt_end __tls_get_addr)
foreach(library IN LISTS LIBRARIES)
  lori_read_symbols(defined -D --defined-only ${library})
  list(REMOVE_ITEM missing ${defined})
endforeach()

# Sections that the C library gathers have a start and an end by name.
list(FILTER missing EXCLUDE REGEX "^__(start|stop)_")
if(missing)
  file(REMOVE ${OBJECT})
  list(JOIN missing ", " names)
  message(FATAL_ERROR "${OBJECT}: undefined: ${names}. "
    "Add the library that defines them to lori_prelink.")
endif()
