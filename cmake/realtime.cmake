# SPDX-License-Identifier: MIT
# What clang's real-time sanitizer needs to judge a program with a loop (docs/decisions/0019): its library looks at calls
# before they are reported, and those of the seam are named by the function that makes them.
set(folder ${PROJECT_SOURCE_DIR}/tests/realtime)

target_sources(weft-wire PRIVATE ${folder}/calls.c)
target_link_libraries(weft-wire PUBLIC ${CMAKE_DL_LIBS})
find_program(WEFT_SYMBOLIZER NAMES llvm-symbolizer-22 llvm-symbolizer) # Debian's clang looks for the first only
mark_as_advanced(WEFT_SYMBOLIZER)
set(options "suppressions='${folder}/exempt.txt'")
if(WEFT_SYMBOLIZER)
    string(APPEND options ":external_symbolizer_path='${WEFT_SYMBOLIZER}'")
endif()
set_source_files_properties(${folder}/calls.c TARGET_DIRECTORY weft-wire PROPERTIES
    COMPILE_DEFINITIONS REALTIME_OPTIONS="${options}")

get_target_property(files weft SOURCES)
list(FILTER files INCLUDE REGEX "/src/backend/[^/]+\\.c$")
set_source_files_properties(${files} ${PROJECT_SOURCE_DIR}/src/base/log.c TARGET_DIRECTORY weft PROPERTIES
    COMPILE_OPTIONS "-include;${folder}/calls.h")
