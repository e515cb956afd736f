# fluxora_libsodium: libsodium for core. Natively the system's library. Emscripten has none, so there it is built from
# Debian's source package, which scripts/lib/source_package.sh unpacks: only what signatures need.
add_library(fluxora_libsodium INTERFACE)

if(NOT EMSCRIPTEN)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(LIBSODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
  target_link_libraries(fluxora_libsodium INTERFACE PkgConfig::LIBSODIUM)
  return()
endif()

set(FLUXORA_LIBSODIUM_DIR ${PROJECT_SOURCE_DIR}/.local/source/libsodium CACHE PATH "libsodium's unpacked source package")
set(sodium ${FLUXORA_LIBSODIUM_DIR}/src/libsodium)
if(NOT EXISTS ${sodium}/crypto_auth/hmacsha256/auth_hmacsha256.c)
  message(FATAL_ERROR "libsodium's sources are not in ${FLUXORA_LIBSODIUM_DIR}: scripts/test wasm puts them there")
endif()

add_library(fluxora_libsodium_wasm STATIC
  ${sodium}/crypto_auth/hmacsha256/auth_hmacsha256.c
  ${sodium}/crypto_core/ed25519/ref10/ed25519_ref10.c
  ${sodium}/crypto_hash/sha256/cp/hash_sha256_cp.c
  ${sodium}/crypto_hash/sha256/hash_sha256.c
  ${sodium}/crypto_hash/sha512/cp/hash_sha512_cp.c
  ${sodium}/crypto_hash/sha512/hash_sha512.c
  ${sodium}/crypto_sign/ed25519/ref10/keypair.c
  ${sodium}/crypto_sign/ed25519/ref10/open.c
  ${sodium}/crypto_sign/ed25519/ref10/sign.c
  ${sodium}/crypto_verify/sodium/verify.c
  ${sodium}/sodium/utils.c)
# Its own headers expect to lie beside each other; SODIUM_STATIC because nothing is imported from a shared library.
target_include_directories(fluxora_libsodium_wasm SYSTEM
  PUBLIC ${sodium}/include
  PRIVATE ${sodium}/include/sodium)
target_compile_definitions(fluxora_libsodium_wasm PUBLIC SODIUM_STATIC=1 PRIVATE CONFIGURED=1 NATIVE_LITTLE_ENDIAN=1 HAVE_WEAK_SYMBOLS=1)
# At -Os and -Oz SHA-256 is five times slower; inlining only makes ed25519 larger.
target_compile_options(fluxora_libsodium_wasm PRIVATE -O2 -w)
set_source_files_properties(${sodium}/crypto_core/ed25519/ref10/ed25519_ref10.c
  ${sodium}/crypto_hash/sha512/cp/hash_sha512_cp.c PROPERTIES COMPILE_OPTIONS -fno-inline-functions)
target_link_libraries(fluxora_libsodium INTERFACE fluxora_libsodium_wasm)
