# SPDX-License-Identifier: MIT
# Sanitizers, fuzzing and coverage change how everything is compiled and linked; the presets choose them.
if(WEFT_SANITIZE)
    add_compile_options(-fsanitize=${WEFT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${WEFT_SANITIZE})
endif()

# Of functions that say that they neither wait nor allocate, clang then finds out whether it is true.
if(WEFT_SANITIZE STREQUAL "realtime")
    add_compile_options(-Wfunction-effects -fno-optimize-sibling-calls) # and a report names every caller
endif()

if(WEFT_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR "WEFT_FUZZ needs clang, which has libFuzzer. Use: cmake --preset fuzz")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(WEFT_COVERAGE)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR "WEFT_COVERAGE needs clang. Use: cmake --preset coverage")
    endif()
    add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
    add_link_options(-fprofile-instr-generate)
endif()
