# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# `cmake --install`: tools, libraries, headers and a package that another
# project finds with find_package(Lori).

include_guard(GLOBAL)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Installed headers keep their paths: `#include "dialect/lori/LoriDialect.h"`
# finds <prefix>/include/lori/dialect/lori/LoriDialect.h.
set(LORI_INSTALL_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/lori)
set(LORI_INSTALL_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/lori)

# Installed tools find libMLIR where they were linked to it.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

function(lori_install_library name)
  target_include_directories(${name} INTERFACE $<INSTALL_INTERFACE:${LORI_INSTALL_HEADERS}>)
  install(TARGETS ${name} EXPORT LoriTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# Called once, after all targets are known.
function(lori_install_package)
  foreach(folder dialect passes runtime)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${LORI_INSTALL_HEADERS}
      FILES_MATCHING PATTERN *.h PATTERN *.td)
    install(DIRECTORY ${PROJECT_BINARY_DIR}/${folder} DESTINATION ${LORI_INSTALL_HEADERS}
      FILES_MATCHING PATTERN *.inc PATTERN CMakeFiles EXCLUDE)
  endforeach()
  get_property(LORI_COMPILER_LIBRARIES GLOBAL PROPERTY LORI_COMPILER_LIBRARIES)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/LoriConfig.cmake.in
    ${PROJECT_BINARY_DIR}/cmake/LoriConfig.cmake INSTALL_DESTINATION ${LORI_INSTALL_PACKAGE})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/LoriConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/cmake/LoriConfig.cmake
    ${PROJECT_BINARY_DIR}/cmake/LoriConfigVersion.cmake DESTINATION ${LORI_INSTALL_PACKAGE})
  install(EXPORT LoriTargets DESTINATION ${LORI_INSTALL_PACKAGE})
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
endfunction()
