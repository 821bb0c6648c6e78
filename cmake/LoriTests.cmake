# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What ctest runs beside GoogleTest cases: lit suites, the examples, and the
# freshness of the generated references.

include_guard(GLOBAL)

# The Python of the tests: the one `./dev setup` equips, else the system's.
if(EXISTS ${PROJECT_SOURCE_DIR}/build/venv/bin/python)
  set(LORI_PYTHON ${PROJECT_SOURCE_DIR}/build/venv/bin/python CACHE FILEPATH
      "Python with numpy and safetensors, for tests and examples")
else()
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(LORI_PYTHON ${Python3_EXECUTABLE} CACHE FILEPATH
      "Python with numpy and safetensors, for tests and examples")
endif()

include(ProcessorCount)
ProcessorCount(LORI_TEST_WORKERS)
if(LORI_TEST_WORKERS EQUAL 0)
  set(LORI_TEST_WORKERS 1)
endif()

# Names the unit-test programs in a file of the build folder, so that a program
# without a case is noticed (test/verdict.py).
function(lori_list_unit_programs)
  get_property(programs GLOBAL PROPERTY LORI_UNIT_PROGRAMS)
  list(JOIN programs "\n" lines)
  file(WRITE ${PROJECT_BINARY_DIR}/test/unit-programs.txt "${lines}\n")
endfunction()

# The folder test/<suite> as one test of ctest, `lit-<suite>`: at least MINIMUM
# of its tests must pass. ROUNDTRIP adds a second run in which each lori-opt
# also prints its input and parses that again.
function(lori_add_lit_suite suite)
  cmake_parse_arguments(ARG "ROUNDTRIP" "MINIMUM" "" ${ARGN})
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${suite})
  set(command ${LORI_PYTHON} ${PROJECT_SOURCE_DIR}/test/run_lit.py
    --lit=${LLVM_EXTERNAL_LIT} --minimum=${ARG_MINIMUM}
    --workers=${LORI_TEST_WORKERS} --build=${PROJECT_BINARY_DIR} ${suite})
  add_test(NAME lit-${suite} COMMAND ${command})
  set(tests lit-${suite})
  if(ARG_ROUNDTRIP)
    add_test(NAME lit-${suite}-roundtrip
      COMMAND ${CMAKE_COMMAND} -E env LORI_ROUNDTRIP=1 ${command})
    list(APPEND tests lit-${suite}-roundtrip)
  endif()
  # Both runs write the same outputs; each already uses all processors.
  set_tests_properties(${tests} PROPERTIES
    LABELS lit TIMEOUT 1200 PROCESSORS ${LORI_TEST_WORKERS} RESOURCE_LOCK lit-${suite})
endfunction()

# Each folder examples/NN-name with a run.py, as the test `example-NN-name`.
function(lori_add_examples)
  file(GLOB scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*/run.py)
  foreach(script IN LISTS scripts)
    cmake_path(GET script PARENT_PATH folder)
    cmake_path(GET folder FILENAME name)
    add_test(NAME example-${name}
      COMMAND ${LORI_PYTHON} ${script} --bin ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
    set_tests_properties(example-${name} PROPERTIES
      LABELS example TIMEOUT 1200 PROCESSORS ${LORI_TEST_WORKERS}
      WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
  endforeach()
endfunction()

# docs/generated/*.md as the target `lori-docs` wrote them into the build.
function(lori_add_reference_checks)
  foreach(name dialects passes)
    add_test(NAME docs-${name} COMMAND sh -c "diff -u \"$1\" \"$2\" || { \
echo 'docs/generated is stale: run ./dev docs' >&2; exit 1; }" sh
      ${PROJECT_SOURCE_DIR}/docs/generated/${name}.md
      ${PROJECT_BINARY_DIR}/docs/generated/${name}.md)
  endforeach()
endfunction()

# Installs the build and builds another project against it (test/install).
function(lori_add_install_check)
  add_test(NAME install COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR}
    -DCOMPILER=${CMAKE_CXX_COMPILER} -DC_COMPILER=${CMAKE_C_COMPILER} -DMLIR_DIR=${MLIR_DIR}
    -P ${PROJECT_SOURCE_DIR}/test/install/check.cmake)
endfunction()
