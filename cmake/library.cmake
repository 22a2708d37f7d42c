# SPDX-License-Identifier: MIT
# How this project makes a library: one set of objects (position independent, hidden visibility), put together twice.
#
#   NAME          the static library; programs of this tree and tests link it, so tests see private functions
#   NAME-shared   the shared library, with versioned symbols; exports what WEFT_API marks and nothing else
#
# A shared library may use private functions of the libraries beneath. These are hidden there, so it gets its own
# copies from the static library. tools/check-symbols fails if such a copy brings state along that would exist twice.

configure_file(${PROJECT_SOURCE_DIR}/cmake/weft.map.in ${PROJECT_BINARY_DIR}/weft.map @ONLY)

# What every target of this tree is compiled with.
function(weft_private_target name)
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:weft-warnings>)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE WEFT_VERSION="${PROJECT_VERSION}")
    set_property(GLOBAL APPEND PROPERTY WEFT_TARGETS ${name})
endfunction()

function(weft_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXPORT;SUMMARY" "NEEDS;LINKS;PACKAGE")
    add_library(${name} STATIC)
    add_library(${name}-shared SHARED $<TARGET_OBJECTS:${name}>)
    weft_private_target(${name})
    set_target_properties(${name} PROPERTIES
        POSITION_INDEPENDENT_CODE ON
        C_VISIBILITY_PRESET hidden
        EXPORT_NAME ${arg_EXPORT}-static)
    set_target_properties(${name}-shared PROPERTIES
        OUTPUT_NAME ${name}
        LINKER_LANGUAGE C
        VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR}
        LINK_DEPENDS ${PROJECT_BINARY_DIR}/weft.map
        EXPORT_NAME ${arg_EXPORT})
    target_link_options(${name}-shared PRIVATE
        -Wl,--version-script=${PROJECT_BINARY_DIR}/weft.map
        -Wl,--exclude-libs,ALL
        -Wl,--as-needed
        -Wl,-z,nodelete) # its threads and its signal handlers may outlast a dlclose
    # With a sanitizer the program brings its run-time library, so some names are defined there.
    if(NOT WEFT_SANITIZE AND NOT WEFT_FUZZ)
        target_link_options(${name}-shared PRIVATE -Wl,-z,defs)
    endif()
    foreach(target ${name} ${name}-shared)
        target_include_directories(${target} PUBLIC
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
        target_link_libraries(${target} PUBLIC ${arg_LINKS})
    endforeach()
    foreach(beneath ${arg_NEEDS})
        target_link_libraries(${name} PUBLIC ${beneath})
        target_link_libraries(${name}-shared PUBLIC ${beneath}-shared PRIVATE ${beneath})
    endforeach()
    add_library(weft::${arg_EXPORT} ALIAS ${name}-shared)
    add_library(weft::${arg_EXPORT}-static ALIAS ${name})
    set_property(GLOBAL APPEND PROPERTY WEFT_LIBRARIES ${name})
    set_target_properties(${name} PROPERTIES WEFT_SUMMARY "${arg_SUMMARY}" WEFT_NEEDS "${arg_NEEDS}"
        WEFT_PACKAGE "${arg_PACKAGE}")
endfunction()

# Adds those of the directories that exist.
function(weft_add_directories)
    foreach(directory ${ARGN})
        if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${directory}/CMakeLists.txt)
            add_subdirectory(${directory})
        endif()
    endforeach()
endfunction()

# A library that no directory has added a file to cannot be linked: it gets an empty one.
function(weft_finish_targets)
    file(WRITE ${PROJECT_BINARY_DIR}/empty.c "typedef int weft_nothing_yet;\n")
    get_property(targets GLOBAL PROPERTY WEFT_TARGETS)
    foreach(target ${targets})
        get_target_property(sources ${target} SOURCES)
        if(NOT sources)
            target_sources(${target} PRIVATE ${PROJECT_BINARY_DIR}/empty.c)
        endif()
    endforeach()
endfunction()
