# Writes the kernel language and the kernel texts into one C++ file, as strings. Comments and indentation are dropped: they would be
# parsed again at every run-time compile.
file(WRITE ${OUT} "#include \"jit/language.h\"\nnamespace corundum {\nconst EmbeddedFile embedded_files[] = {\n")
foreach(name IN LISTS FILES)
  file(READ ${ROOT}/${name} text)
  string(REGEX REPLACE "(^|\n)[ \t]*//[^\n]*" "\\1" text "${text}")
  string(REGEX REPLACE "[ \t]+//[^\n\"]*(\n)" "\\1" text "${text}")
  string(REGEX REPLACE "\n[ \t\n]+" "\n" text "${text}")
  string(REPLACE "#pragma once\n" "" text "${text}")
  file(APPEND ${OUT} "{\"${name}\", R\"__embed__(${text})__embed__\"},\n")
endforeach()
file(APPEND ${OUT} "};\nconst int embedded_file_count = sizeof(embedded_files) / sizeof(embedded_files[0]);\n}\n")
