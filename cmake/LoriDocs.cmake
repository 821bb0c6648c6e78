# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The target `lori-docs` writes the references of dialects and passes from their
# TableGen files into the build folder; `./dev docs` brings them to docs/generated.

include_guard(GLOBAL)

# Adds docs/generated/<page>.md: a title and what mlir-tblgen says of each
# PART "<source.td> <arguments of mlir-tblgen>".
function(lori_add_reference page)
  cmake_parse_arguments(ARG "" "TITLE" "PARTS" ${ARGN})
  set(result ${PROJECT_BINARY_DIR}/docs/generated/${page}.md)
  set(folder ${PROJECT_BINARY_DIR}/docs/parts)
  set(parts)
  foreach(part IN LISTS ARG_PARTS)
    separate_arguments(words UNIX_COMMAND ${part})
    list(POP_FRONT words source)
    string(MAKE_C_IDENTIFIER ${source} name)
    set(output ${folder}/${name}.md)
    add_custom_command(OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
      COMMAND ${MLIR_TABLEGEN_EXE} ${words} -I${PROJECT_SOURCE_DIR} -I${MLIR_INCLUDE_DIRS}
        ${PROJECT_SOURCE_DIR}/${source} -o ${output} -d ${output}.d
      DEPENDS ${PROJECT_SOURCE_DIR}/${source} DEPFILE ${output}.d VERBATIM)
    list(APPEND parts ${output})
  endforeach()
  add_custom_command(OUTPUT ${result}
    COMMAND ${CMAKE_COMMAND} "-DTITLE=${ARG_TITLE}" "-DPARTS=${parts}" -DRESULT=${result}
      -P ${PROJECT_SOURCE_DIR}/cmake/JoinDocs.cmake
    DEPENDS ${parts} ${PROJECT_SOURCE_DIR}/cmake/JoinDocs.cmake VERBATIM)
  set_property(GLOBAL APPEND PROPERTY LORI_REFERENCES ${result})
endfunction()

function(lori_add_docs)
  lori_add_reference(dialects TITLE "Dialects" PARTS
    "dialect/lori/Lori.td -gen-dialect-doc -dialect=lori"
    "dialect/lm/Lm.td -gen-dialect-doc -dialect=lm")
  lori_add_reference(passes TITLE "Passes" PARTS
    "passes/Passes.td -gen-pass-doc")
  get_property(references GLOBAL PROPERTY LORI_REFERENCES)
  add_custom_target(lori-docs ALL DEPENDS ${references})
endfunction()
