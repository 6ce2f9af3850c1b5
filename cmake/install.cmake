# make install PREFIX=... DESTDIR=...: program, links, library, headers, man pages, completion.
include(GNUInstallDirs)
install(TARGETS voxmind RUNTIME)
install(CODE "execute_process(COMMAND \${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR}
    -DFOLDER=\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}
    -P ${CMAKE_SOURCE_DIR}/cmake/links.cmake COMMAND_ERROR_IS_FATAL ANY)")
install(TARGETS vox ARCHIVE)
if(EXISTS ${CMAKE_SOURCE_DIR}/include/vox)
    install(DIRECTORY include/vox DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
endif()
file(GLOB pages CONFIGURE_DEPENDS docs/man/*.1)
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
if(EXISTS ${CMAKE_SOURCE_DIR}/tools/completion/voxmind.bash)
    install(FILES tools/completion/voxmind.bash RENAME voxmind
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
