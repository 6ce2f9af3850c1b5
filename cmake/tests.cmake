# Tests. The folder is the ctest label, and so is quick (test_*.c) or slow (slow_*.c):
#   ctest -L unit        ctest -LE slow        ctest -R unit_version
# Each test runs in a scratch folder of its own below build/tests/run.
enable_testing()
add_custom_target(tests)

find_library(CMOCKA_LIBRARY cmocka)
find_path(CMOCKA_INCLUDE cmocka.h)
find_program(PROVE prove)
mark_as_advanced(CMOCKA_LIBRARY CMOCKA_INCLUDE PROVE)

# The environment and limits every test gets.
function(vox_test_defaults name label)
    set(speed quick)
    set(limit 600)
    if(name MATCHES "_slow_")
        set(speed slow)
        set(limit 3000)
    endif()
    set(scratch ${CMAKE_BINARY_DIR}/tests/run/${name})
    file(MAKE_DIRECTORY ${scratch})
    set_tests_properties(${name} PROPERTIES
        LABELS "${label};${speed}" TIMEOUT ${limit} WORKING_DIRECTORY ${scratch} SKIP_RETURN_CODE 77
        ENVIRONMENT "VOXMIND=${CMAKE_BINARY_DIR}/voxmind;VOX_SOURCE=${CMAKE_SOURCE_DIR};UBSAN_OPTIONS=print_stacktrace=1;LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0")
endfunction()

function(vox_add_test folder source)
    get_filename_component(stem ${source} NAME_WE)
    string(REGEX REPLACE "^test_" "" stem ${stem})
    set(name ${folder}_${stem})
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/${folder} OUTPUT_NAME ${stem})
    target_link_libraries(${name} PRIVATE voxsupport voxcli vox_warnings)
    add_dependencies(tests ${name})
    add_test(NAME ${name} COMMAND ${name})
    vox_test_defaults(${name} ${folder})
endfunction()

if(CMOCKA_LIBRARY AND CMOCKA_INCLUDE)
    file(GLOB support CONFIGURE_DEPENDS tests/support/*.c)
    add_library(voxsupport STATIC EXCLUDE_FROM_ALL ${support})
    target_include_directories(voxsupport PUBLIC tests)
    target_include_directories(voxsupport SYSTEM PUBLIC ${CMOCKA_INCLUDE})
    target_compile_definitions(voxsupport PUBLIC
        VOX_SOURCE_DIR="${CMAKE_SOURCE_DIR}" VOX_PROGRAM="${CMAKE_BINARY_DIR}/voxmind")
    target_link_libraries(voxsupport PUBLIC ${CMOCKA_LIBRARY} voxcli PRIVATE vox_warnings)
    foreach(folder unit ops golden e2e fault)
        file(GLOB sources CONFIGURE_DEPENDS tests/${folder}/test_*.c tests/${folder}/slow_*.c)
        foreach(source ${sources})
            vox_add_test(${folder} ${source})
        endforeach()
    endforeach()
else()
    message(STATUS "cmocka was not found: C tests are left out (tools/install-deps installs it)")
endif()

# Shell tests: TAP scripts run by prove.
add_dependencies(tests voxmind)
if(PROVE)
    foreach(folder cli arch)
        file(GLOB scripts CONFIGURE_DEPENDS tests/${folder}/*.t)
        foreach(script ${scripts})
            get_filename_component(stem ${script} NAME_WE)
            add_test(NAME ${folder}_${stem} COMMAND ${PROVE} --failures --comments -e bash ${script})
            vox_test_defaults(${folder}_${stem} ${folder})
            # prove's word for a script that skipped everything
            set_tests_properties(${folder}_${stem} PROPERTIES SKIP_REGULAR_EXPRESSION "Result: NOTESTS")
        endforeach()
    endforeach()
endif()
