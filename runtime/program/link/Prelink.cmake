# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Makes, when the project is built, the files that the compiler links generated
# code with: each is one relocatable object that holds all a program needs, so
# that linking needs neither a compiler nor libraries on the user's machine.
#
#   static   start-up code, the C and C++ libraries and ours: a static program
#   dynamic  the same without the C library: a program that can load libraries
#   shared   the same without start-up code: a shared library

include_guard(GLOBAL)

# GNU ld: an object that `ld.lld -r` made of start-up files and archives does
# not link again (".eh_frame: relocation is not in any piece").
find_program(LORI_GNU_LD NAMES ld.bfd ${CMAKE_LIBRARY_ARCHITECTURE}-ld.bfd)
if(NOT LORI_GNU_LD)
  message(FATAL_ERROR "GNU ld (ld.bfd) was not found: install binutils.")
endif()

# The compiler's or C library's file of that name.
function(lori_toolchain_file result name)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${name}
    OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT IS_ABSOLUTE "${path}")
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} has no ${name}: install the "
      "static C and C++ libraries (libc6-dev and libstdc++-*-dev).")
  endif()
  set(${result} ${path} PARENT_SCOPE)
endfunction()

function(lori_toolchain_files result)
  set(paths)
  foreach(name IN LISTS ARGN)
    lori_toolchain_file(path ${name})
    list(APPEND paths ${path})
  endforeach()
  set(${result} ${paths} PARENT_SCOPE)
endfunction()

# The functions of GeneratedCalls.def as `--undefined=NAME` for the linker.
function(lori_generated_calls result)
  set(list ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/GeneratedCalls.def)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} lines REGEX "^LORI_[A-Z]+_CALL\\(")
  set(flags)
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^LORI_[A-Z]+_CALL\\((.*)\\)$" "\\1" name "${line}")
    list(APPEND flags --undefined=${name})
  endforeach()
  set(${result} ${flags} PARENT_SCOPE)
endfunction()

# The sanitizers' own libraries, without which instrumented code does not link.
function(lori_sanitizer_libraries result)
  set(paths)
  if(LORI_SANITIZERS MATCHES "address")
    foreach(part asan asan_static asan_cxx)
      lori_toolchain_file(path libclang_rt.${part}-${CMAKE_SYSTEM_PROCESSOR}.a)
      list(APPEND paths ${path})
    endforeach()
  elseif(LORI_SANITIZERS)
    message(WARNING "Programs cannot be linked with -fsanitize=${LORI_SANITIZERS}.")
  endif()
  set(${result} ${paths} PARENT_SCOPE)
endfunction()

# Our own code as one object. CMake knows which archives the libraries need and
# in which order, so this is an executable to it.
function(lori_prelink_own_code name)
  cmake_parse_arguments(ARG "" "" "WHOLE;LINK" ${ARGN})
  set(empty ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  file(GENERATE OUTPUT ${empty} CONTENT "")
  add_executable(${name} ${empty})
  lori_generated_calls(calls)
  list(TRANSFORM calls PREPEND "-Wl,")
  target_link_options(${name} PRIVATE ${calls})
  foreach(library IN LISTS ARG_WHOLE)
    target_link_libraries(${name} PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,${library}>")
  endforeach()
  target_link_libraries(${name} PRIVATE ${ARG_LINK} LoriBuiltins LoriThreads
    # Last, over what the libraries and CMAKE_EXE_LINKER_FLAGS ask for.
    -r -nostdlib -fuse-ld=bfd -fno-sanitize=all)
  set_target_properties(${name} PROPERTIES
    SUFFIX .o RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

# lori_prelink(TARGET KIND static|dynamic|shared OUTPUT FILE
#              [WHOLE LIBRARY...] [LINK LIBRARY...])
# Makes FILE of the libraries, the functions that generated code calls, and what
# both need. All of each WHOLE library is kept.
function(lori_prelink target)
  cmake_parse_arguments(ARG "" "KIND;OUTPUT" "WHOLE;LINK" ${ARGN})
  lori_prelink_own_code(${target}_own WHOLE ${ARG_WHOLE} LINK ${ARG_LINK})

  set(start_static rcrt1.o crti.o crtbeginS.o)
  set(start_dynamic Scrt1.o crti.o crtbeginS.o)
  set(start_shared crti.o crtbeginS.o)
  set(archives_static libstdc++.a libm.a libgcc.a libgcc_eh.a libc.a)
  set(archives_dynamic libstdc++.a libgcc.a libgcc_eh.a libc_nonshared.a)
  set(archives_shared ${archives_dynamic})
  set(loaded_static)
  set(loaded_dynamic libc.so.6 libm.so.6 ld-linux-x86-64.so.2)
  set(loaded_shared ${loaded_dynamic})

  lori_toolchain_files(start ${start_${ARG_KIND}})
  lori_toolchain_files(archives ${archives_${ARG_KIND}})
  lori_toolchain_files(end crtendS.o crtn.o)
  lori_toolchain_files(loaded ${loaded_${ARG_KIND}})
  set(sanitizers)
  if(NOT ARG_KIND STREQUAL "static")
    lori_sanitizer_libraries(sanitizers)
  endif()
  # Of the C library, generated code gets what the user's machine has.
  set(calls)
  if(ARG_KIND STREQUAL "static")
    lori_generated_calls(calls)
  endif()

  cmake_path(GET ARG_OUTPUT PARENT_PATH folder)
  file(MAKE_DIRECTORY ${folder})
  set(own ${CMAKE_CURRENT_BINARY_DIR}/${target}_own.o)
  add_custom_command(OUTPUT ${ARG_OUTPUT}
    COMMAND ${LORI_GNU_LD} -r --strip-debug -o ${ARG_OUTPUT} ${calls} ${start} ${own}
      --whole-archive ${sanitizers} --no-whole-archive
      --start-group ${archives} --end-group ${end}
    COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DOBJECT=${ARG_OUTPUT}
      "-DLIBRARIES=${loaded}" -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/CheckUndefined.cmake
    DEPENDS ${target}_own ${own} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/CheckUndefined.cmake
    COMMENT "Linking all that ${ARG_KIND} programs need into ${ARG_OUTPUT}"
    VERBATIM)
  add_custom_target(${target} ALL DEPENDS ${ARG_OUTPUT})
endfunction()
