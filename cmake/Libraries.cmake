# The libraries of DESIGN.md section 7, each as one imported target.
find_package(PkgConfig REQUIRED)
pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0>=2.74 gio-2.0)
pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET gmime-3.0)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(XML REQUIRED IMPORTED_TARGET libxml-2.0)
pkg_check_modules(GNUTLS REQUIRED IMPORTED_TARGET gnutls)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(HS REQUIRED IMPORTED_TARGET libhs) # Vectorscan, or Hyperscan where only that is packaged

# libetpan's .pc file carries flags of its Debian build (no-pie-link.specs): link it plainly.
find_path(ETPAN_INCLUDE libetpan/libetpan.h REQUIRED)
find_library(ETPAN_LIBRARY etpan REQUIRED)
add_library(etpan INTERFACE)
target_include_directories(etpan SYSTEM INTERFACE ${ETPAN_INCLUDE})
target_link_libraries(etpan INTERFACE ${ETPAN_LIBRARY})

find_path(LINEAR_INCLUDE linear.h REQUIRED)
find_library(LINEAR_LIBRARY linear REQUIRED)
add_library(linear INTERFACE)
target_include_directories(linear SYSTEM INTERFACE ${LINEAR_INCLUDE})
target_link_libraries(linear INTERFACE ${LINEAR_LIBRARY})
