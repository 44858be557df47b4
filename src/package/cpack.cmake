# SPDX-License-Identifier: Apache-2.0
# The .deb of davit, and that of spec-tests.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})  # not where cpack is called
set(CPACK_COMPONENTS_ALL davit)
if(TARGET spec-tests)
  list(APPEND CPACK_COMPONENTS_ALL spec-tests)
endif()
set(CPACK_PACKAGE_CONTACT ${DAVIT_MAINTAINER})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# Else each description would begin with that of the project.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# cpack takes the machine that it runs on.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE amd64)
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
endif()
if(NOT DAVIT_STATIC)
  set(CPACK_DEBIAN_DAVIT_PACKAGE_SHLIBDEPS ON)
endif()
set(CPACK_DEBIAN_DAVIT_PACKAGE_NAME davit)
set(CPACK_DEBIAN_DAVIT_PACKAGE_SUGGESTS uidmap)
set(CPACK_DEBIAN_DAVIT_DESCRIPTION
"OCI container runtime with a small sealed init
davit turns a bundle, which is a config.json and a root filesystem, into one
running container, for Podman, Docker, containerd and CRI-O or by hand. It
follows the runtime specification of the Open Container Initiative, needs
Linux 5.15, and runs on cgroup v2, v1 and both.

It says what is wrong with a config and what a container would get, before
anything is made.")
set(CPACK_DEBIAN_SPEC-TESTS_PACKAGE_NAME davit-spec-tests)
set(CPACK_DEBIAN_SPEC-TESTS_DESCRIPTION
"conformance suite for OCI container runtimes
spec-tests puts any runtime to the clauses of the runtime specification of the
Open Container Initiative, and reports clause by clause, as text, TAP, JUnit
or a page of HTML. It brings all that its containers need.")
include(CPack)
