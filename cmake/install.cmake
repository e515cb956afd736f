# What `cmake --install` puts where, and the Debian package that cpack makes of it. docs/install.md tells of both.
include(GNUInstallDirs)
# sysconfdir of the prefix /usr is /etc; the others follow the prefix.
set(FLUXORA_CONFIG_DIR ${CMAKE_INSTALL_FULL_SYSCONFDIR}/fluxora)
set(FLUXORA_SERVER_PROGRAM ${CMAKE_INSTALL_FULL_BINDIR}/fluxora-server)
set(FLUXORA_DEMO_DIR ${PROJECT_SOURCE_DIR}/build/wasm/demo CACHE PATH
  "The built demo page (target demo of the preset wasm), installed where it exists")

install(TARGETS fluxora-server RUNTIME)

# The program looks for the page beside itself: app/src/process.cpp. An earlier version's files have other names: they go.
install(CODE "
  if(EXISTS \"${FLUXORA_DEMO_DIR}/index.html\")
    file(REMOVE_RECURSE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/fluxora/demo\")
  endif()")
install(DIRECTORY ${FLUXORA_DEMO_DIR}/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fluxora/demo OPTIONAL)

# Units name the program and its configuration by their whole paths.
foreach(unit fluxora-server.service fluxora-backup.service fluxora-backup.timer)
  configure_file(packaging/systemd/${unit}.in ${unit} @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${unit} DESTINATION lib/systemd/system)
endforeach()

# The program itself knows its settings, so the example is printed by it. It may come to hold secrets, and settings that
# are there already stay.
set(example ${CMAKE_CURRENT_BINARY_DIR}/fluxora.env)
install(CODE "
  execute_process(COMMAND \"$<TARGET_FILE:fluxora-server>\" check-config --example
    OUTPUT_FILE \"${example}\" COMMAND_ERROR_IS_FATAL ANY)
  if(NOT EXISTS \"\$ENV{DESTDIR}${FLUXORA_CONFIG_DIR}/fluxora.env\")
    file(INSTALL \"${example}\" DESTINATION \"${FLUXORA_CONFIG_DIR}\" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
  endif()")

set(doc ${CMAKE_INSTALL_DATADIR}/doc/fluxora-server)
install(FILES README.md CHANGELOG.md CONTRIBUTING.md DESTINATION ${doc})
install(DIRECTORY docs DESTINATION ${doc})
install(FILES packaging/debian/copyright DESTINATION ${doc})

include(cmake/debian_package.cmake)
