# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Finds LLVM/MLIR 22.1 and sets up its build rules; sourced once.

find_package(MLIR 22.1 CONFIG
  HINTS /usr/lib/llvm-22/lib/cmake/mlir)
if(NOT MLIR_FOUND)
  message(FATAL_ERROR
    "LLVM/MLIR 22.1 was not found (versions seen: ${MLIR_CONSIDERED_VERSIONS}).\n"
    "On Debian 12 `./dev setup` installs it; elsewhere give "
    "-DMLIR_DIR=<prefix>/lib/cmake/mlir of a 22.1 build.")
endif()
find_package(LLD CONFIG REQUIRED HINTS ${LLVM_DIR}/../lld)
message(STATUS "MLIR ${MLIR_VERSION} in ${MLIR_DIR}")

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
set(LLVM_EXTERNAL_LIT ${LLVM_TOOLS_BINARY_DIR}/lit)
separate_arguments(LLVM_DEFINITIONS NATIVE_COMMAND ${LLVM_DEFINITIONS})
set(LLVM_ENABLE_WARNINGS OFF)  # lori_standards sets ours
include(TableGen)
include(AddLLVM)
include(AddMLIR)
set(MLIR_LINK_MLIR_DYLIB ON)

# A library of the compiler: MLIR from its one shared library, ours by name.
# Its sources list reads as the table of contents of its folder.
function(lori_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} SYSTEM PUBLIC
    "$<BUILD_INTERFACE:${LLVM_INCLUDE_DIRS};${MLIR_INCLUDE_DIRS}>")
  target_compile_definitions(${name} PUBLIC ${LLVM_DEFINITIONS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM PRIVATE $<BUILD_INTERFACE:lori_standards>)
  lori_install_library(${name})
  set_property(GLOBAL APPEND PROPERTY LORI_COMPILER_LIBRARIES ${name})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

function(lori_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM lori_standards)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
