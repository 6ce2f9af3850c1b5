# The peer's command names, as links beside the program. They are the words that the commands in
# src/cli/cmd_*.c answer to (.peer = "nnssl_..."), read after each link of the program.
# The program also writes its manual page and its completion here.
# Run as a script: cmake -DSOURCE=... -DFOLDER=... -P links.cmake
if(CMAKE_SCRIPT_MODE_FILE)
    file(GLOB sources ${SOURCE}/src/cli/*.c)
    foreach(source ${sources})
        file(STRINGS ${source} lines REGEX "\\.peer = \"nnssl_")
        foreach(line ${lines})
            string(REGEX REPLACE ".*\\.peer = \"([a-zA-Z0-9_]+)\".*" "\\1" name "${line}")
            file(CREATE_LINK voxmind ${FOLDER}/${name} SYMBOLIC)
        endforeach()
    endforeach()
    return()
endif()

add_custom_command(TARGET voxmind POST_BUILD
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DFOLDER=${CMAKE_BINARY_DIR}
            -P ${CMAKE_CURRENT_LIST_DIR}/links.cmake
    COMMAND voxmind help man > ${CMAKE_BINARY_DIR}/voxmind.1
    COMMAND voxmind help completion > ${CMAKE_BINARY_DIR}/voxmind.bash
    VERBATIM)
