# cpack -G DEB: fluxora-server_VERSION_ARCHITECTURE.deb. scripts/package runs it.
# Same sources, same compiler, same SOURCE_DATE_EPOCH: the same package, byte for byte.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fluxora-server)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
# Who made it, as Debian's own tools ask for it.
set(CPACK_PACKAGE_CONTACT "Fluxora contributors <fluxora@fluxora.invalid>")
if(DEFINED ENV{DEBEMAIL} AND DEFINED ENV{DEBFULLNAME})
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "follows payment streams on Stellar and serves them")
set(CPACK_PACKAGE_DESCRIPTION
"Fluxora follows a Soroban contract that pays recipients per second, through a
Stellar RPC server, into one ordered log in PostgreSQL, and serves streams and
events over REST, WebSocket, server-sent events and signed webhooks.
.
This package has the server, its commands (backup, restore, verify, replay),
the demo page and units for systemd. It needs a PostgreSQL of its own or
elsewhere: /etc/fluxora/fluxora.env names it.")
set(CPACK_SET_DESTDIR ON)  # the configuration goes to /etc, which isn't below /usr
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# All of `cmake --install`, and what only a Debian package holds.
set(CPACK_INSTALL_CMAKE_PROJECTS
  "${CMAKE_BINARY_DIR};fluxora;ALL;/;${CMAKE_BINARY_DIR};fluxora;debian;/")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, postgresql-client")  # backup and restore run pg_dump and pg_restore
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql, haproxy, redis-server")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)

# What Debian wants to find besides. It is installed last, so all else is there to be dated.
install(FILES packaging/debian/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides
  RENAME fluxora-server COMPONENT debian EXCLUDE_FROM_ALL)
configure_file(packaging/debian/finish.cmake.in finish_debian_package.cmake @ONLY)
install(SCRIPT ${CMAKE_CURRENT_BINARY_DIR}/finish_debian_package.cmake COMPONENT debian EXCLUDE_FROM_ALL)
include(CPack)
