extension Assembly {
  /// Whether the pretty form can say all of the op.
  func canPrint(_ op: SyntaxOp) -> Bool {
    let isSymbolic = op.attributes.contains {
      $0.name.hasPrefix("tfc.") && named.contains(String($0.name.dropFirst(4)))
    }
    if isSymbolic { return false }
    return elements.allSatisfy { element in
      switch element {
      case .attribute(let name), .symbol(let name): op[name] != nil
      default: true
      }
    }
  }

  func print(_ op: SyntaxOp, _ printer: inout SyntaxPrinter) {
    if op.operands.isEmpty, elements.contains(.types(.operands)) || elements.contains(.types(.pairwise)) { return }
    var isAfterOpening = false
    for element in elements {
      switch element {
      case .punctuation(let kind, let spelling):
        let joins = [.comma, .leftParenthesis, .rightParenthesis, .leftBracket, .rightBracket].contains(kind)
        printer.write(joins ? spelling : " " + spelling)
        isAfterOpening = kind == .leftParenthesis || kind == .leftBracket
        continue
      case .keyword(let word): printer.write(" " + word)
      case .attribute(let name):
        if !isAfterOpening { printer.write(" ") }
        if let value = op[name] { printer.bareAttribute(value) }
      case .symbol(let name):
        if case .string(let value)? = op[name] { printer.write(" @\(value.symbolText)") }
        if case .symbol(let value)? = op[name] { printer.write(" @\(value.symbolText)") }
      case .operands:
        if !isAfterOpening, !op.operands.isEmpty { printer.write(" ") }
        printer.write(op.operands) { $0.write("%\($1.text)") }
      case .attributeDictionary: rest(op, &printer)
      case .types(let style):
        printer.write(" " + style.text(op))
      case .hook(let hook): printer.print(hook, op)
      }
      isAfterOpening = false
    }
  }

  /// The attributes that stand nowhere else.
  func rest(_ op: SyntaxOp, _ printer: inout SyntaxPrinter) {
    let rest = op.attributes.filter { !named.contains($0.name) }
    if !rest.isEmpty {
      printer.write(" ")
      printer.dictionary(rest)
    }
  }
}

extension Assembly.TypeStyle {
  func text(_ op: SyntaxOp) -> String {
    let (operands, results) = (op.operandTypes, op.resultTypes)
    func list(_ types: [TypeSyntax]) -> String { types.map(\.description).joined(separator: ", ") }
    switch self {
    case .functional: break
    case .same:
      if results.count == 1, operands.allSatisfy({ $0 == results[0] }) { return results[0].description }
    case .results: return list(results)
    case .operands, .pairwise: return list(operands)
    case .arrow: return "\(list(operands)) -> \(TypeSyntax.list(results))"
    case .select:
      if operands.count == 3, results.count == 1, operands[1] == results[0], operands[2] == results[0] {
        return list([operands[0], results[0]])
      }
    case .complex:
      if case .tensor(let dimensions, let element)? = results.first,
        operands.allSatisfy({ $0 == .tensor(dimensions, element.realPart) })
      {
        return list(results)
      }
    case .tuple: return list(results)
    }
    return TypeSyntax.signature(operands, results)
  }
}

extension SyntaxPrinter {
  mutating func print(_ hook: Assembly.Hook, _ op: SyntaxOp) {
    switch hook {
    case .constant:
      write(" ")
      if let value = op["value"] { attribute(value) }
    case .slice:
      let lists = ["start_indices", "limit_indices", "strides"].map { op[$0]?.integerList ?? [] }
      let bounds = lists[0].indices.map { d in
        "\(lists[0][d]):\(lists[1][d])" + (lists[2][d] == 1 ? "" : ":\(lists[2][d])")
      }
      write(" [\(bounds.joined(separator: ", "))]")
    case .comparisonType:
      guard let type = op["compare_type"] else { return }
      write(", ")
      bareAttribute(type)
    case .dotDimensions: dotDimensions(op)
    case .precision, .sharding: break
    case .convolution: convolution(op)
    case .reduce: reduce(op)
    case .loop: loop(op)
    case .reducedFormat:
      guard case .integer(let exponent, _)? = op["exponent_bits"], case .integer(let mantissa, _)? = op["mantissa_bits"]
      else { return }
      write(" e\(exponent)m\(mantissa)")
    }
  }

  private mutating func dotDimensions(_ op: SyntaxOp) {
    guard case .dialect(_, let text)? = op["dot_dimension_numbers"] else { return }
    let body = DialectBody(text)
    for (key, word) in [("batching_dimensions", "batching_dims"), ("contracting_dimensions", "contracting_dims")] {
      let (lhs, rhs) = (body.integers("lhs_\(key)") ?? [], body.integers("rhs_\(key)") ?? [])
      if word == "contracting_dims" || !lhs.isEmpty { write(", \(word) = \(lhs) x \(rhs)") }
    }
  }

  private mutating func convolution(_ op: SyntaxOp) {
    write("(")
    write(op.operands) { $0.write("%\($1.text)") }
    write(")")
    guard case .dialect(_, let body)? = op["dimension_numbers"] else { return }
    write(" dim_numbers = \(body), window = {")
    let keys = [
      ("stride", "window_strides"), ("pad", "padding"), ("lhs_dilate", "lhs_dilation"),
      ("rhs_dilate", "rhs_dilation"), ("reverse", "window_reversal"),
    ]
    write(keys) { printer, key in
      printer.write("\(key.0) = ")
      if case .dense(let literal)? = op[key.1] {
        let values = literal.scalars.map { Int($0.integerValue) }
        let pairs = stride(from: 0, to: values.count, by: 2).map { "[\(values[$0]), \(values[$0 + 1])]" }
        printer.write("[\(pairs.joined(separator: ", "))]")
      } else if let value = op[key.1] {
        printer.bareAttribute(value)
      }
    }
    write("}")
  }

  private mutating func reduce(_ op: SyntaxOp) {
    let count = op.operands.count / 2
    write("(")
    write(Array(zip(op.operands.prefix(count), op.operands.suffix(count))), separator: "), (") { printer, pair in
      printer.write("%\(pair.0.text) init: %\(pair.1.text)")
    }
    write(")")
    guard let block = op.regions.first?.blocks.first else { return }
    let applied = op.appliedName
    if let applied { write(" applies \(applied)") }
    write(" across dimensions = ")
    if let dimensions = op["dimensions"] { bareAttribute(dimensions) }
    let others = op.attributes.filter { $0.name != "dimensions" }
    if !others.isEmpty {
      write(" ")
      dictionary(others)
    }
    write(" : \(TypeSyntax.signature(op.operandTypes, op.resultTypes))")
    guard applied == nil else { return }
    write(" reducer")
    for position in 0..<count {
      write("(")
      arguments([block.arguments[position], block.arguments[position + count]])
      write(") ")
    }
    write(" ")
    region(op.regions[0], showsArguments: false)
  }

  private mutating func loop(_ op: SyntaxOp) {
    guard op.regions.count == 2, let block = op.regions[0].blocks.first else { return }
    // Both regions call the arguments by the same names in this form.
    let names = block.arguments.map(\.name)
    write("(")
    write(Array(zip(names, op.operands))) { printer, pair in printer.write("%\(pair.0) = %\(pair.1.text)") }
    write(")")
    if !op.operands.isEmpty { write(" : \(Assembly.TypeStyle.pairwise.text(op))") }
    if !op.attributes.isEmpty {
      write(" attributes ")
      dictionary(op.attributes)
    }
    write(" cond ")
    region(op.regions[0], showsArguments: false)
    write(" do ")
    var body = op.regions[1]
    body.rename(Dictionary(uniqueKeysWithValues: zip(body.blocks[0].arguments.map(\.name), names)))
    region(body, showsArguments: false)
  }
}

extension SyntaxOp {
  /// The op that a reduction's body consists of, if the short form can say it.
  fileprivate var appliedName: String? {
    guard operands.count == 2, let block = regions[0].blocks.first, block.ops.count == 2, block.arguments.count == 2
    else { return nil }
    let (inner, end) = (block.ops[0], block.ops[1])
    guard inner.operands.map(\.name) == block.arguments.map(\.name), inner.attributes.isEmpty, inner.regions.isEmpty,
      end.operands.map(\.name) == inner.results.map(\.name), operandTypes.count == 2,
      (inner.operandTypes + inner.resultTypes).allSatisfy({ $0 == operandTypes[1] }),
      inner.results.count == 1, inner.name.hasPrefix("stablehlo.")
    else { return nil }
    return inner.name
  }
}

extension SyntaxRegion {
  /// Uses with other names.
  fileprivate mutating func rename(_ names: [String: String]) {
    for block in blocks.indices {
      for op in blocks[block].ops.indices {
        for use in blocks[block].ops[op].operands.indices {
          let name = blocks[block].ops[op].operands[use].name
          if let new = names[name] { blocks[block].ops[op].operands[use].name = new }
        }
        for region in blocks[block].ops[op].regions.indices {
          blocks[block].ops[op].regions[region].rename(names)
        }
      }
    }
  }
}
