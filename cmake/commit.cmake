# The commit the program was built from, as one generated C file: const char vox_commit_text[].
# Run as a script (cmake -P) at build time; rewritten only when the commit changed.
if(CMAKE_SCRIPT_MODE_FILE)
    execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
        OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE rc)
    if(NOT rc EQUAL 0)
        set(commit unknown)
    endif()
    set(text "/* generated */\nextern const char vox_commit_text[];\nconst char vox_commit_text[] = \"${commit}\";\n")
    set(old "")
    if(EXISTS ${OUTPUT})
        file(READ ${OUTPUT} old)
    endif()
    if(NOT old STREQUAL text)
        file(WRITE ${OUTPUT} "${text}")
    endif()
    return()
endif()

set(VOX_COMMIT_FILE ${CMAKE_BINARY_DIR}/generated/commit.c)
add_custom_target(vox_commit
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DOUTPUT=${VOX_COMMIT_FILE}
            -P ${CMAKE_CURRENT_LIST_DIR}/commit.cmake
    BYPRODUCTS ${VOX_COMMIT_FILE} VERBATIM)
