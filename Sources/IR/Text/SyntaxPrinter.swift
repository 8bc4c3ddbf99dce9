/// Writes syntax as MLIR text.
struct SyntaxPrinter {
  private(set) var output: [UInt8] = []
  let printsLocations: Bool
  /// Whether every op is written in the generic form.
  let isGeneric: Bool
  private var indentation = 0

  init(printsLocations: Bool = false, isGeneric: Bool = false) {
    self.printsLocations = printsLocations
    self.isGeneric = isGeneric
  }

  var text: String { String(decoding: output, as: UTF8.self) }

  mutating func write(_ text: String) { output.append(contentsOf: text.utf8) }

  mutating func write(_ bytes: [UInt8]) { output.append(contentsOf: bytes) }

  mutating func write<T>(_ items: [T], separator: String = ", ", _ item: (inout Self, T) -> Void) {
    for (position, element) in items.enumerated() {
      if position > 0 { write(separator) }
      item(&self, element)
    }
  }

  private mutating func startLine() {
    output.append(UInt8(ascii: "\n"))
    for _ in 0..<indentation { write("  ") }
  }

  // MARK: - Operations

  mutating func operation(_ op: SyntaxOp) {
    if !op.results.isEmpty {
      write(op.results) { printer, result in
        printer.write("%\(result.name)")
        if result.count != 1 { printer.write(":\(result.count)") }
      }
      write(" = ")
    }
    if isGeneric {
      generic(op)
    } else if op.name == "builtin.module" {
      module(op)
    } else if op.name == "func.func" {
      function(op)
    } else if let assembly = Assembly.known[op.name], assembly.canPrint(op) {
      write(op.name == "func.return" ? "return" : op.name)
      assembly.print(op, &self)
    } else {
      generic(op)
    }
    location(op.location)
  }

  mutating func location(_ location: LocationSyntax?) {
    guard printsLocations, let location else { return }
    write(" loc(\(location.text))")
  }

  private mutating func generic(_ op: SyntaxOp) {
    write("\(op.name.quoted)(")
    write(op.operands) { $0.write("%\($1.text)") }
    write(")")
    // Only ops that StableHLO's tools know have properties.
    let inherent = op.attributes.filter { !$0.name.contains(".") && !op.name.hasPrefix("tfc.") }
    let others = op.attributes.filter { $0.name.contains(".") || op.name.hasPrefix("tfc.") }
    if !inherent.isEmpty {
      write(" <")
      dictionary(inherent)
      write(">")
    }
    if !op.regions.isEmpty {
      write(" (")
      write(op.regions) { $0.region($1, showsArguments: true) }
      write(")")
    }
    if !others.isEmpty {
      write(" ")
      dictionary(others)
    }
    write(" : \(TypeSyntax.signature(op.operandTypes, op.resultTypes))")
  }

  mutating func region(_ region: SyntaxRegion, showsArguments: Bool) {
    write("{")
    indentation += 1
    for block in region.blocks {
      if showsArguments, !block.arguments.isEmpty {
        indentation -= 1
        startLine()
        write("^bb0(")
        // The attributes of a function's arguments are among those of the function here.
        arguments(
          block.arguments.map { argument in
            var plain = argument
            plain.attributes = []
            return plain
          })
        write("):")
        indentation += 1
      }
      for op in block.ops {
        startLine()
        operation(op)
      }
    }
    indentation -= 1
    startLine()
    write("}")
  }

  mutating func arguments(_ arguments: [SyntaxArgument]) {
    write(arguments) { printer, argument in
      printer.write("%\(argument.name): \(argument.type)")
      if !argument.attributes.isEmpty {
        printer.write(" ")
        printer.dictionary(argument.attributes)
      }
      printer.location(argument.location)
    }
  }

  private mutating func module(_ op: SyntaxOp) {
    write("module")
    if case .string(let name)? = op["sym_name"] { write(" @\(name.symbolText)") }
    let others = op.attributes.filter { $0.name != "sym_name" }
    if !others.isEmpty {
      write(" attributes ")
      dictionary(others)
    }
    write(" ")
    write(op.regions) { $0.region($1, showsArguments: false) }
  }

  private mutating func function(_ op: SyntaxOp) {
    write("func.func ")
    if case .string(let visibility)? = op["sym_visibility"] { write("\(visibility) ") }
    if case .string(let name)? = op["sym_name"] { write("@\(name.symbolText)") }
    guard let block = op.regions.first?.blocks.first else { return }
    write("(")
    arguments(block.arguments)
    write(")")
    if case .type(.function(_, let types))? = op["function_type"], case .array(let attributes)? = op["res_attrs"],
      !types.isEmpty
    {
      write(" -> (")
      write(Array(zip(types, attributes))) { printer, result in
        printer.write("\(result.0)")
        if case .dictionary(let entries) = result.1, !entries.isEmpty {
          printer.write(" ")
          printer.dictionary(entries)
        }
      }
      write(")")
    }
    write(" ")
    write(op.regions) { $0.region($1, showsArguments: false) }
  }

  // MARK: - Attributes

  mutating func dictionary(_ entries: [NamedAttribute]) {
    write("{")
    write(entries) { printer, entry in
      let isPlain = entry.name.symbolText == entry.name
      printer.write(isPlain ? entry.name : entry.name.quoted)
      if case .unit = entry.value { return }
      printer.write(" = ")
      printer.attribute(entry.value)
    }
    write("}")
  }

  mutating func attribute(_ value: AttributeSyntax) {
    switch value {
    case .unit: write("unit")
    case .boolean(let value): write(value ? "true" : "false")
    case .integer(let value, let type): write("\(value) : \(type)")
    case .float(let value, let type):
      write("\(ElementType(rawValue: type).map { $0.text(of: value) } ?? "\(value)") : \(type)")
    case .string(let value): write(value.quoted)
    case .symbol(let name): write("@\(name.symbolText)")
    case .type(let type): write("\(type)")
    case .array(let elements):
      write("[")
      write(elements) { $0.attribute($1) }
      write("]")
    case .dictionary(let entries): dictionary(entries)
    case .dense(let literal): dense(literal)
    case .integers(let values, let element):
      let texts = values.map { element == "i1" ? ($0 == 0 ? "false" : "true") : "\($0)" }
      write("array<\(element)\(texts.isEmpty ? "" : ": ")\(texts.joined(separator: ", "))>")
    case .resource(let name, let type, _): write("dense_resource<\(name)> : \(type)")
    case .enumeration(let kind, let value): write(kind.isEmpty ? value.quoted : "#\(kind) \(value)>")
    case .dialect(let name, let body): write("#\(name)<\(body)>")
    case .alias(let name): write("#\(name)")
    case .location(let location): write("loc(\(location.text))")
    case .other(let text): write(text)
    }
  }

  /// An attribute where its type goes without saying.
  mutating func bareAttribute(_ value: AttributeSyntax) {
    switch value {
    case .integer(let value, _): write("\(value)")
    case .enumeration(_, let value): write(value)
    case .integers(let values, let element):
      let texts = values.map { element == "i1" ? ($0 == 0 ? "false" : "true") : "\($0)" }
      write("[\(texts.joined(separator: ", "))]")
    default: attribute(value)
    }
  }
}

extension SyntaxUse {
  var text: String { index == 0 ? name : "\(name)#\(index)" }
}

extension LocationSyntax {
  var text: String {
    switch self {
    case .unknown: "unknown"
    case .alias(let name): "#\(name)"
    case .file(let name, let line, let column): "\(name.quoted):\(line):\(column)"
    case .name(let name, .unknown): name.quoted
    case .name(let name, let child): "\(name.quoted)(\(child.text))"
    case .fused(let parts): "fused[\(parts.map(\.text).joined(separator: ", "))]"
    }
  }
}

extension String {
  /// The text between quotes, with escapes.
  var quoted: String {
    var result = "\""
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7F: result.unicodeScalars.append(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += "\\" + (digits.count == 1 ? "0" : "") + digits
      }
    }
    return result + "\""
  }

  /// The name as it stands after `@`.
  var symbolText: String {
    let isPlain = utf8.first.map { $0.isLetter || $0 == UInt8(ascii: "_") } == true && utf8.allSatisfy(\.isNamePart)
    return isPlain ? self : quoted
  }
}
