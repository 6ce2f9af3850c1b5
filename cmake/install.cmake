# make install PREFIX=... DESTDIR=...: program, links, library, headers, man pages, completion.
include(GNUInstallDirs)
install(TARGETS voxmind RUNTIME)
install(CODE "execute_process(COMMAND \${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR}
    -DFOLDER=\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}
    -P ${CMAKE_SOURCE_DIR}/cmake/links.cmake COMMAND_ERROR_IS_FATAL ANY)")

# The library is static, so its pkg-config file names what it needs. C-Blosc2 from the folder of
# tools/install-deps comes along under a name of its own.
set(VOX_PC_REQUIRES "json-c libdeflate zlib cairo")
set(VOX_PC_LIBS "")
if(TARGET blosc2)
    get_target_property(archive blosc2 IMPORTED_LOCATION)
    install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME libvox_blosc2.a)
    string(APPEND VOX_PC_LIBS "-lvox_blosc2 ")
else()
    string(APPEND VOX_PC_REQUIRES " blosc2")
endif()
string(APPEND VOX_PC_LIBS "-lcsv -lpthread -ldl -lm")
configure_file(cmake/voxmind.pc.in voxmind.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/voxmind.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(TARGETS vox ARCHIVE)
if(EXISTS ${CMAKE_SOURCE_DIR}/include/vox)
    install(DIRECTORY include/vox DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
endif()
# The manual page and the completion are what the program says of itself (cmake/links.cmake).
install(FILES ${CMAKE_BINARY_DIR}/voxmind.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_BINARY_DIR}/voxmind.bash RENAME voxmind
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
