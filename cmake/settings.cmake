# Language, optimisation, warnings. Everything links vox_settings; our own code also vox_warnings.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# The default keeps assertions and line numbers. NDEBUG is never set: VOX_ASSERT holds in every build.
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_RELEASE "-O2")

find_program(CCACHE ccache)
mark_as_advanced(CCACHE)
if(CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(vox_settings INTERFACE)
# Contraction would make the reference results depend on the compiler; kernels turn it on.
target_compile_options(vox_settings INTERFACE -ffp-contract=off)
target_compile_definitions(vox_settings INTERFACE _XOPEN_SOURCE=700 _FILE_OFFSET_BITS=64)
if(VOX_SANITIZE)
    target_compile_options(vox_settings INTERFACE
        -fsanitize=${VOX_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(vox_settings INTERFACE -fsanitize=${VOX_SANITIZE})
endif()

add_library(vox_warnings INTERFACE)
target_compile_options(vox_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wformat=2 -Wdouble-promotion
    -Wconversion -Wno-sign-conversion $<$<C_COMPILER_ID:Clang>:-Wno-format-nonliteral>
    $<$<BOOL:${VOX_WERROR}>:-Werror>)
