# SPDX-License-Identifier: MIT
# How tests and fuzz targets are declared.
find_package(PkgConfig REQUIRED)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

# weft_test(NAME SOURCES file... [LIBS library...] [LABELS label...] [TIMEOUT seconds] [ARGS argument...])
#
# One program of tests, run by ctest in its own process. Labels: `unit` unless others are given; what has the label
# `long` runs only in `make test-all`. Exit status 77 means skipped.
function(weft_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS;LABELS;ARGS")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
        message(FATAL_ERROR "weft_test(${name}): give SOURCES; not understood: '${arg_UNPARSED_ARGUMENTS}'")
    endif()
    add_executable(test-${name} ${arg_SOURCES})
    weft_private_target(test-${name})
    target_include_directories(test-${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(test-${name} PRIVATE ${arg_LIBS} PkgConfig::CMOCKA)
    set_target_properties(test-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND test-${name} ${arg_ARGS})
    weft_test_properties(${name} "${arg_LABELS}" "${arg_TIMEOUT}")
endfunction()

# weft_test_engine(ENGINE test...)
#
# Runs programs of weft_test once more, as ENGINE_test, with what they do on sockets of the system on that backend
# (support_engine).
function(weft_test_engine engine)
    foreach(test ${ARGN})
        get_test_property(${test} LABELS labels)
        get_test_property(${test} TIMEOUT timeout)
        add_test(NAME ${engine}_${test} COMMAND test-${test})
        weft_test_properties(${engine}_${test} "${labels}" "${timeout}")
        set_property(TEST ${engine}_${test} APPEND PROPERTY ENVIRONMENT WEFT_TEST_ENGINE=${engine})
    endforeach()
endfunction()

# weft_script_test(NAME COMMAND program argument... [LABELS label...] [TIMEOUT seconds])
#
# A test that is a script (a real client against a server of ours). WEFT_BUILD_DIR and WEFT_SOURCE_DIR are in its
# environment. Labels: `script` unless others are given.
function(weft_script_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND;LABELS")
    if(NOT arg_LABELS)
        set(arg_LABELS script)
    endif()
    add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT
        WEFT_BUILD_DIR=${PROJECT_BINARY_DIR} WEFT_SOURCE_DIR=${PROJECT_SOURCE_DIR})
    weft_test_properties(${name} "${arg_LABELS}" "${arg_TIMEOUT}")
endfunction()

function(weft_test_properties name labels timeout)
    if(NOT labels)
        set(labels unit)
    endif()
    if(NOT timeout)
        set(timeout 120)
    endif()
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout} SKIP_RETURN_CODE 77)
endfunction()

# weft_fuzz(NAME SOURCES file... [LIBS library...] [CORPUS directory])
#
# One LLVMFuzzerTestOneInput. With the preset fuzz it is a fuzzer (fuzz/NAME in the build directory); otherwise it is a
# program that replays its corpus, and ctest runs it on tests/fuzz/corpus/NAME with the label `corpus`.
function(weft_fuzz name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS" "SOURCES;LIBS")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
        message(FATAL_ERROR "weft_fuzz(${name}): give SOURCES; not understood: '${arg_UNPARSED_ARGUMENTS}'")
    endif()
    if(NOT arg_CORPUS)
        set(arg_CORPUS ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    endif()
    add_executable(fuzz-${name} ${arg_SOURCES})
    weft_private_target(fuzz-${name})
    target_include_directories(fuzz-${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(fuzz-${name} PRIVATE ${arg_LIBS})
    set_target_properties(fuzz-${name} PROPERTIES
        OUTPUT_NAME ${name}
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
    if(WEFT_FUZZ)
        target_link_options(fuzz-${name} PRIVATE -fsanitize=fuzzer)
        return()
    endif()
    target_sources(fuzz-${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.c)
    add_test(NAME fuzz_${name} COMMAND fuzz-${name} ${arg_CORPUS})
    weft_test_properties(fuzz_${name} corpus "")
endfunction()
