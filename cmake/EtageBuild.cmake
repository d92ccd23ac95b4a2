# How every target of Etage is built: one place for the language, the warnings, the sanitizers and the foreign libraries.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

option(ETAGE_WERROR "Warnings are errors" OFF)
set(ETAGE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")

find_program(ETAGE_CCACHE ccache)
if(ETAGE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${ETAGE_CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlienc libbrotlidec)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
find_package(tomlplusplus QUIET)
if(TARGET tomlplusplus::tomlplusplus)
    set(ETAGE_TOMLPP tomlplusplus::tomlplusplus)
endif()

add_library(etage_options INTERFACE)
target_compile_options(etage_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    $<$<BOOL:${ETAGE_WERROR}>:-Werror>
    # GCC 12 sees overflows in Asio's and libstdc++'s inlined code that are not there (GCC PR 105329, 105762), and takes
    # the frames of Asio's coroutines for freed with the wrong function (PR 109224).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-mismatched-new-delete>)
# Asio names handlers by type when it tracks them only; standalone, without deprecated names, never header-probing Boost.
# Which allocator Asio 1.22 recycles from depends on what a file included before it; two files that disagree free each
# other's memory. Nothing of ours is over-aligned: all take operator new.
target_compile_definitions(etage_options INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_DISABLE_STD_ALIGNED_ALLOC
    # Asio 1.22 looks for Clang's coroutines where they stood before C++20 was finished.
    $<$<CXX_COMPILER_ID:Clang>:ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1>)
if(ETAGE_SANITIZE)
    target_compile_options(etage_options INTERFACE -fsanitize=${ETAGE_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all
        # Instrumented, GCC loses track of what an optional holds.
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_link_options(etage_options INTERFACE -fsanitize=${ETAGE_SANITIZE})
endif()
target_include_directories(etage_options INTERFACE
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(etage_options INTERFACE Threads::Threads)

if(ETAGE_TESTS OR NOT DEFINED ETAGE_TESTS)
    find_package(GTest REQUIRED)
    enable_testing()
endif()

# etage_test(name SOURCES… [LIBS…]): one executable, one CTest case per test suite file.
function(etage_test name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE etage_options ${ARG_LIBS} GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
endfunction()

# etage_module(name USES modules… LIBS libraries…): src/<name>/*.cpp is the library, *_test.cpp beside them its tests.
function(etage_module name)
    cmake_parse_arguments(ARG "" "" "USES;LIBS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
    set(tests ${sources})
    list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
    list(TRANSFORM ARG_USES PREPEND etage_)
    if(sources)
        add_library(etage_${name} STATIC ${sources})
        target_link_libraries(etage_${name} PUBLIC etage_options ${ARG_USES} PRIVATE ${ARG_LIBS})
    else()
        add_library(etage_${name} INTERFACE)
        target_link_libraries(etage_${name} INTERFACE etage_options ${ARG_USES} ${ARG_LIBS})
    endif()
    if(ETAGE_TESTS AND tests)
        find_package(rapidcheck QUIET)
        etage_test(${name}_test SOURCES ${tests} LIBS etage_${name} ${ARG_LIBS})
        find_library(ETAGE_RAPIDCHECK rapidcheck)
        target_link_libraries(${name}_test PRIVATE ${ETAGE_RAPIDCHECK})
    endif()
endfunction()
