# Kernel paths: every src/**/<name>_simd.c is compiled once per path into library <target>.
# A file learns its path from VOX_PATH (a token), VOX_PATH_ID and VOX_LANES; see src/base/simd.h.
function(vox_add_path target path id lanes)
    add_library(vox_${path} OBJECT ${ARGN})
    target_include_directories(vox_${path} PRIVATE src include)
    target_link_libraries(vox_${path} PRIVATE vox_settings vox_deps vox_warnings)
    target_compile_definitions(vox_${path} PRIVATE
        VOX_PATH=${path} VOX_PATH_ID=${id} VOX_LANES=${lanes})
    # -Wpsabi: wide vectors never cross a function boundary of ours that is not inlined.
    target_compile_options(vox_${path} PRIVATE -Wno-psabi)
    if(NOT VOX_SANITIZE) # a list, so no generator expression
        target_compile_options(vox_${path} PRIVATE -O3)
    endif()
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:vox_${path}>)
endfunction()

function(vox_add_paths target)
    file(GLOB sources CONFIGURE_DEPENDS
        src/backend/cpu/*_simd.c src/image/*_simd.c src/transforms/*_simd.c)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        target_compile_definitions(vox_settings INTERFACE VOX_HAVE_X86_PATHS=1)
    endif()
    if(NOT sources)
        return()
    endif()
    vox_add_path(${target} plain 0 8 ${sources})
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        vox_add_path(${target} avx2 1 8 ${sources})
        vox_add_path(${target} avx512 2 16 ${sources})
        target_compile_options(vox_avx2 PRIVATE -march=x86-64-v3 -ffp-contract=fast)
        target_compile_options(vox_avx512 PRIVATE -march=x86-64-v4 -ffp-contract=fast)
    endif()
endfunction()
