# What `cmake --install` puts where: program, bundle, manual, units, completion, examples, wire formats.
install(TARGETS posteingang RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

set(BUNDLE ${CMAKE_INSTALL_DATADIR}/posteingang/bundle)
install(DIRECTORY config/ DESTINATION ${BUNDLE} FILES_MATCHING
  PATTERN "*.yaml" PATTERN "*.txt" PATTERN "*.tsv" PATTERN "*.bin" PATTERN "*.model"
  PATTERN "training" EXCLUDE PATTERN "CMakeFiles" EXCLUDE
  PATTERN "CMakeLists.txt" EXCLUDE)

install(FILES journal/roles.sql DESTINATION ${CMAKE_INSTALL_DATADIR}/posteingang)

install(FILES docs/man/posteingang.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/posteingang.yaml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES docs/man/posteingang-rules.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7 OPTIONAL)

install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/examples/single docs/examples/cluster DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY docs/openapi DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/schema DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/examples/systemd/ DESTINATION lib/systemd/system)

# The program prints its own completion scripts.
set(COMPLETION ${CMAKE_BINARY_DIR}/completion)
set(COMPLETION_FILES ${COMPLETION}/posteingang ${COMPLETION}/_posteingang ${COMPLETION}/posteingang.fish)
add_custom_command(OUTPUT ${COMPLETION_FILES} DEPENDS posteingang
  COMMAND ${CMAKE_COMMAND} -E make_directory ${COMPLETION}
  COMMAND posteingang completion bash > ${COMPLETION}/posteingang
  COMMAND posteingang completion zsh > ${COMPLETION}/_posteingang
  COMMAND posteingang completion fish > ${COMPLETION}/posteingang.fish
  COMMENT "Completion scripts" VERBATIM)
add_custom_target(completion ALL DEPENDS ${COMPLETION_FILES})
install(FILES ${COMPLETION}/posteingang DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${COMPLETION}/_posteingang DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${COMPLETION}/posteingang.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
