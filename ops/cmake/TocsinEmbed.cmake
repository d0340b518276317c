# Builds data files into the program: tocsin_embed(TARGET FUNCTION NAMESPACE FILES…) adds a source to TARGET that
# defines `std::span<const EmbeddedFile> NAMESPACE::FUNCTION()` (rules/base/embedded.hpp), in the order given.
set(TOCSIN_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
if(CMAKE_SCRIPT_MODE_FILE)
  file(WRITE ${OUT} "// Made by ops/cmake/TocsinEmbed.cmake from files of the source tree.\n#include \"rules/base/embedded.hpp\"\n"
    "namespace ${NAMESPACE} {\nstd::span<const tocsin::EmbeddedFile> ${FUNCTION}();\n"
    "std::span<const tocsin::EmbeddedFile> ${FUNCTION}() {\n  static constexpr tocsin::EmbeddedFile kFiles[] = {\n")
  string(REPLACE "|" ";" FILES "${FILES}")
  foreach(file ${FILES})
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
    # One literal of \x escapes; string_view with the length keeps NUL bytes.
    string(LENGTH "${hex}" digits)
    math(EXPR size "${digits} / 2")
    string(REGEX REPLACE "^.*/rules/packs/" "" label ${file})
    file(APPEND ${OUT} "    {\"${label}\", {\"${bytes}\", ${size}}},\n")
  endforeach()
  file(APPEND ${OUT} "  };\n  return kFiles;\n}\n}  // namespace ${NAMESPACE}\n")
  return()
endif()

function(tocsin_embed target function namespace)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}_${function}.cpp)
  set(files ${ARGN})
  list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/)
  string(REPLACE ";" "|" joined "${files}")
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DFUNCTION=${function} -DNAMESPACE=${namespace} "-DFILES=${joined}"
      -P ${TOCSIN_EMBED_SCRIPT}
    DEPENDS ${files} ${TOCSIN_EMBED_SCRIPT} VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
