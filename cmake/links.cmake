# The peer's command names, as links to the program beside it (src/cli/links.txt, one a line).
set(VOX_LINK_NAMES "")
if(EXISTS ${CMAKE_SOURCE_DIR}/src/cli/links.txt)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS src/cli/links.txt)
    file(STRINGS src/cli/links.txt VOX_LINK_NAMES REGEX "^[a-z]")
endif()
foreach(name ${VOX_LINK_NAMES})
    add_custom_command(TARGET voxmind POST_BUILD
        COMMAND ${CMAKE_COMMAND} -E create_symlink voxmind ${name}
        WORKING_DIRECTORY ${CMAKE_BINARY_DIR} VERBATIM)
endforeach()
