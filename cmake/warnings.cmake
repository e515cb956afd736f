# Flags that every target of ours is built with; system headers are exempt.
add_library(fluxora_flags INTERFACE)
target_compile_options(fluxora_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 and 13 report these for the standard library's own code when it is inlined at -O2 and above.
  target_compile_options(fluxora_flags INTERFACE -Wno-null-dereference -Wno-maybe-uninitialized -Wno-restrict)
endif()
if(FLUXORA_SANITIZE)
  # Without vptr: that check asks for the type information that core is compiled without.
  target_compile_options(fluxora_flags INTERFACE -fsanitize=${FLUXORA_SANITIZE} -fno-sanitize=vptr
    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(fluxora_flags INTERFACE -fsanitize=${FLUXORA_SANITIZE})
endif()
if(FLUXORA_COVERAGE)
  # Atomic: the server's threads would lose counts, or make them negative.
  target_compile_options(fluxora_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(fluxora_flags INTERFACE --coverage)
endif()
if(FLUXORA_FUZZ)
  # Core tells libFuzzer which way an input took; only the fuzzers themselves link libFuzzer's main.
  target_compile_options(fluxora_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
