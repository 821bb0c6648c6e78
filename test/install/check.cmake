# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# cmake -DBUILD=… -DCOMPILER=… -DC_COMPILER=… -DMLIR_DIR=… -P check.cmake
# Installs the build, builds and runs the project in this folder against it, then
# compiles a model with it and runs that.

set(work ${BUILD}/test/install)
file(REMOVE_RECURSE ${work})

function(must_run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(status)
    message(FATAL_ERROR "${ARGN} ended with ${status}:\n${text}")
  endif()
endfunction()

must_run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${work}/prefix)
must_run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${work}/embed -G Ninja
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_C_COMPILER=${C_COMPILER}
  -DCMAKE_PREFIX_PATH=${work}/prefix -DMLIR_DIR=${MLIR_DIR})
must_run(${CMAKE_COMMAND} --build ${work}/embed)
must_run(${work}/embed/embed)
must_run(${work}/prefix/bin/lori-opt --version)
must_run(${work}/prefix/bin/lori-compile ${CMAKE_CURRENT_LIST_DIR}/../data/three-tasks/base
  --pipeline=reference -o ${work}/program)
must_run(${work}/program --tokens 1,2,3 -n 2)
