# room(NAME core SOURCES a.c b.c LINK x y): one static library a folder, all with the same warnings.
add_library(house INTERFACE)
target_include_directories(house INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_definitions(house INTERFACE _GNU_SOURCE G_LOG_DOMAIN="posteingang" G_DISABLE_DEPRECATED)
target_compile_options(house INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla
  $<$<BOOL:${POSTEINGANG_WERROR}>:-Werror> -fstack-protector-strong -fno-strict-aliasing)
if(POSTEINGANG_SANITIZE)
  target_compile_options(house INTERFACE -fsanitize=${POSTEINGANG_SANITIZE} -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(house INTERFACE -fsanitize=${POSTEINGANG_SANITIZE})
endif()

function(room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(${name} PUBLIC house ${ROOM_LINK})
endfunction()
