# SPDX-License-Identifier: MIT
# What `make install` puts where: headers, libraries, the CMake package and one pkg-config file for each library.
include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY WEFT_LIBRARIES)
set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/weft)

install(DIRECTORY include/weft DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
# The .pc files find the prefix from their own place, so that what was installed can be moved.
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(foreign_packages "")
foreach(library ${libraries})
    get_target_property(pc_foreign ${library} WEFT_PACKAGE)
    # What needs somebody else's library is exported on its own: the package config takes it in if that is there.
    if(pc_foreign)
        install(TARGETS ${library} ${library}-shared EXPORT ${library}-targets)
        install(EXPORT ${library}-targets NAMESPACE weft:: DESTINATION ${package_directory})
        string(APPEND foreign_packages "weft_take_adapter(${library} ${pc_foreign})\n")
    else()
        install(TARGETS ${library} ${library}-shared EXPORT weft-targets)
    endif()
    get_target_property(pc_summary ${library} WEFT_SUMMARY)
    get_target_property(pc_needs ${library} WEFT_NEEDS)
    set(pc_name ${library})
    list(JOIN pc_needs ", " pc_requires)
    if(pc_foreign)
        string(APPEND pc_requires ", ${pc_foreign}")
    endif()
    set(pc_private "")
    if(library STREQUAL weft)
        set(pc_private "libssl libcrypto")
    elseif(library STREQUAL weft-http)
        set(pc_private zlib)
    endif()
    configure_file(packaging/weft.pc.in ${PROJECT_BINARY_DIR}/${library}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${library}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

install(EXPORT weft-targets NAMESPACE weft:: DESTINATION ${package_directory})
configure_package_config_file(packaging/weft-config.cmake.in ${PROJECT_BINARY_DIR}/weft-config.cmake
    INSTALL_DESTINATION ${package_directory})
# While the major version is 0 a minor version may break what was (PROMISES.md).
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weft-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weft-config.cmake ${PROJECT_BINARY_DIR}/weft-config-version.cmake
    DESTINATION ${package_directory})
