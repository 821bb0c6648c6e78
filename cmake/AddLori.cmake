# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Wrappers that give every target of the project the same standards.

include_guard(GLOBAL)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

include(LoriInstall)

# Warnings are errors in our own code, wherever it is built.
add_library(lori_standards INTERFACE)
target_compile_options(lori_standards INTERFACE
  -Wall -Wextra -Werror -Wno-unused-parameter -fno-semantic-interposition)
if(LORI_SANITIZERS)
  target_compile_options(lori_standards INTERFACE
    -fsanitize=${LORI_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(lori_standards INTERFACE -fsanitize=${LORI_SANITIZERS})
endif()

# Libraries that compiled programs carry: free of MLIR, one section a function
# so that a program keeps only what it uses.
function(lori_add_runtime_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE -ffunction-sections -fdata-sections)
  if(LORI_BUILD_FUZZERS)
    # libFuzzer is blind without the coverage of what it tests.
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE $<BUILD_INTERFACE:lori_standards>)
  lori_install_library(${name})
endfunction()

# A GoogleTest program; each of its cases is a test of ctest. Cases of one
# program run one after the other (they may share names of temporary files);
# the files lie in the build folder, so that two builds do not meet.
function(lori_add_unit_test name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest_main lori_standards)
  target_compile_definitions(${name} PRIVATE
    LORI_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  set(temporary ${PROJECT_BINARY_DIR}/test/tmp/${name})
  file(MAKE_DIRECTORY ${temporary})
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
    PROPERTIES LABELS unit TIMEOUT 300 RESOURCE_LOCK ${name}
      ENVIRONMENT TMPDIR=${temporary})
  set_property(GLOBAL APPEND PROPERTY LORI_UNIT_PROGRAMS ${name})
endfunction()

# A libFuzzer program over one parser.
function(lori_add_fuzzer name)
  if(NOT LORI_BUILD_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} lori_standards)
endfunction()
