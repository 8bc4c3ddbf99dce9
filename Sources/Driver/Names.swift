/// Turns names of models, symbols and tensors into C identifiers, each only once.
struct IdentifierNames {
  private var taken: Set<String>

  /// Names that are given to nothing: keywords of C and C++, types, and what the generated code uses itself.
  init(reserved: some Sequence<String> = []) { taken = Self.keywords.union(reserved) }

  /// An identifier like `name`, or like `fallback` where nothing is left of it.
  mutating func identifier(for name: String, fallback: String) -> String {
    let plain = Self.plain(name, fallback: fallback)
    var candidate = plain
    var number = 2
    while !taken.insert(candidate).inserted {
      candidate = "\(plain)_\(number)"
      number += 1
    }
    return candidate
  }

  /// The name of a model whose library has this file name: `libaffine.so` is `affine`.
  static func modelName(ofLibrary fileName: String) -> String {
    var stem = fileName[...]
    if let dot = stem.lastIndex(of: "."), dot != stem.startIndex { stem = stem[..<dot] }
    if stem.hasPrefix("lib") { stem = stem.dropFirst(3) }
    let name = plain(String(stem.drop { $0 == "_" || $0 == "-" }), fallback: "model")
    return isFree(name) ? name : "\(name)_model"
  }

  private static func plain(_ name: String, fallback: String) -> String {
    var text = ""
    for scalar in name.unicodeScalars {
      let isLetter = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
      if isLetter { text.unicodeScalars.append(scalar) } else if text.last != "_" { text += "_" }
    }
    while text.last == "_" { text.removeLast() }
    // Identifiers that begin with an underscore belong to the C implementation.
    text = String(text.drop { $0 == "_" })
    guard let first = text.first else { return fallback }
    return first.isNumber ? "\(fallback)_\(text)" : text
  }

  private static func isFree(_ name: String) -> Bool {
    // `pthread_create`, `sem_destroy` and their like are functions of libc.
    !keywords.contains(name) && !["tfc", "pthread", "thrd", "sem", "timer", "epoll"].contains(name)
      && !name.hasPrefix("tfc_")
  }

  private static let keywords: Set<String> = [
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
    "char8_t", "char16_t", "char32_t", "class", "compl", "concept", "const", "const_cast", "consteval", "constexpr",
    "constinit", "continue", "co_await", "co_return", "co_yield", "decltype", "default", "delete", "do", "double",
    "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if",
    "inline", "int", "int32_t", "int64_t", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq",
    "nullptr", "operator", "or", "or_eq", "private", "protected", "public", "register", "reinterpret_cast",
    "requires", "restrict", "return", "short", "signed", "sizeof", "static", "static_assert", "static_cast", "struct",
    "switch", "template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "typeof",
    "typeof_unqual", "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
    "NULL", "linux", "unix", "INT64_MAX", "INT64_MIN", "int8_t", "int16_t", "intptr_t", "max_align_t", "offsetof",
    "ptrdiff_t", "size_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t", "uintptr_t",
  ]
}
