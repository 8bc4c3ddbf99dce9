/// The pretty form of an op: what stands between its name and its types, in MLIR's own notation.
///
/// ``operands `,` `dims` `=` $permutation attr-dict `:` functional-type`` describes
/// `%x, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>`. One description serves parser and printer.
struct Assembly: Sendable {
  enum Element: Hashable, Sendable {
    case punctuation(Token.Kind, String)
    case keyword(String)
    /// `$name`: an attribute without its type.
    case attribute(String)
    /// `@name`: an attribute that is a symbol.
    case symbol(String)
    case operands
    /// The attributes that stand nowhere else.
    case attributeDictionary
    case types(TypeStyle)
    /// What the notation cannot say.
    case hook(Hook)
  }

  /// How the types of operands and results are written.
  enum TypeStyle: String, Hashable, Sendable {
    /// `(operands) -> results`.
    case functional = "functional-type"
    /// One type, where operands and results have the same; functional otherwise.
    case same = "same-type"
    /// Those of the results only; there are no operands.
    case results = "result-types"
    /// Those of the operands only; there are no results.
    case operands = "operand-types"
    /// `operands -> results` without parentheses (CHLO).
    case arrow = "arrow-types"
    /// Predicate and result, where both values have the result's type; functional otherwise.
    case select = "select-types"
    /// The result, where the operands are its parts; functional otherwise.
    case complex = "complex-type"
    /// Each operand has the type of its result.
    case pairwise = "pairwise-types"
    /// One tuple: the operands are its elements.
    case tuple = "tuple-type"
  }

  enum Hook: String, Hashable, Sendable {
    case constant, slice, comparisonType, dotDimensions, precision, convolution, reduce, loop, reducedFormat, sharding
  }

  let elements: [Element]
  /// The attributes that do not belong into the dictionary.
  let named: Set<String>

  init(_ notation: String) {
    var elements: [Element] = []
    var named: Set<String> = []
    for word in notation.split(separator: " ") {
      if word.first == "`" {
        let text = String(word.dropFirst().dropLast())
        elements.append(Self.punctuation[text].map { .punctuation($0, text) } ?? .keyword(text))
      } else if word.first == "$" {
        elements.append(.attribute(String(word.dropFirst())))
        named.insert(String(word.dropFirst()))
      } else if word.first == "@" {
        elements.append(.symbol(String(word.dropFirst())))
        named.insert(String(word.dropFirst()))
      } else if word == "operands" {
        elements.append(.operands)
      } else if word == "attr-dict" {
        elements.append(.attributeDictionary)
      } else if let style = TypeStyle(rawValue: String(word)) {
        elements.append(.types(style))
      } else {
        let hook = Hook(rawValue: String(word))
        precondition(hook != nil, "'\(word)' is not part of the assembly notation")
        if let hook {
          elements.append(.hook(hook))
          named.formUnion(hook.attributes)
        }
      }
    }
    self.elements = elements
    self.named = named
  }

  private static let punctuation: [String: Token.Kind] = [
    ",": .comma, ":": .colon, "=": .equal, "(": .leftParenthesis, ")": .rightParenthesis, "[": .leftBracket,
    "]": .rightBracket,
  ]

  static let functional = Assembly("operands attr-dict `:` functional-type")
  static let pointwise = Assembly("operands attr-dict `:` same-type")

  /// The forms of all ops that have one beside the generic one.
  static let known: [String: Assembly] = {
    var known: [String: Assembly] = [
      "func.return": Assembly("operands attr-dict `:` operand-types"),
      "stablehlo.return": Assembly("operands attr-dict `:` operand-types"),
      "chlo.return": Assembly("operands attr-dict `:` operand-types"),
      "stablehlo.tuple": Assembly("operands attr-dict `:` tuple-type"),
      "stablehlo.get_tuple_element": Assembly("operands `[` $index `]` attr-dict `:` functional-type"),
      "stablehlo.create_token": Assembly("attr-dict `:` result-types"),
      "stablehlo.after_all": Assembly("operands attr-dict `:` same-type"),
    ]
    for (name, form) in TextForm.all { known[name] = form.assembly }
    for (name, rewrite) in Rewrite.all { known[name] = rewrite.assembly }
    for (name, notation) in foreign { known[name] = Assembly(notation) }
    return known
  }()

  /// Ops that are read only to be refused by name.
  private static let foreign: [String: String] = [
    "stablehlo.rng": "operands `,` `distribution` `=` $rng_distribution attr-dict `:` functional-type",
    "stablehlo.uniform_quantize": "operands attr-dict `:` functional-type",
    "stablehlo.uniform_dequantize": "operands attr-dict `:` functional-type",
    "stablehlo.partition_id": "attr-dict `:` result-types",
    "stablehlo.replica_id": "attr-dict `:` result-types",
    "stablehlo.set_dimension_size": "operands `,` `dim` `=` $dimension attr-dict `:` functional-type",
  ]
}

// MARK: - Parsing

extension Assembly {
  func parse(_ op: inout SyntaxOp, _ parser: inout SyntaxParser) throws(SourceError) {
    for (position, element) in elements.enumerated() {
      switch element {
      case .punctuation(.colon, _) where isBeforeEmptyTypes(position, op, parser): return
      case .punctuation(let kind, let spelling): try parser.expect(kind, spelling)
      case .keyword(let word): try parser.expect(keyword: word)
      case .attribute(let name): op[name] = try parser.bareAttribute()
      case .symbol(let name):
        if parser.token.kind == .string {
          op[name] = .symbol(try parser.stringValue(parser.token))
          try parser.advance()
        } else {
          op[name] = .symbol(try parser.symbolValue())
        }
      case .operands: op.operands += try parser.uses()
      case .attributeDictionary:
        if parser.token.kind == .leftBrace { op.attributes += try parser.attributeDictionary() }
      case .types(let style): try parser.types(style, of: &op)
      case .hook(let hook): try parser.parse(hook, &op)
      }
    }
  }

  /// `return` without operands ends after its name.
  private func isBeforeEmptyTypes(_ position: Int, _ op: SyntaxOp, _ parser: SyntaxParser) -> Bool {
    guard position + 1 < elements.count, parser.token.kind != .colon, op.operands.isEmpty else { return false }
    return elements[position + 1] == .types(.operands) || elements[position + 1] == .types(.pairwise)
  }
}

extension SyntaxParser {
  /// An attribute whose type goes without saying: `[0, 1]`, `3`, `true`, `THREE_FRY`, `"name"`.
  mutating func bareAttribute() throws(SourceError) -> AttributeSyntax {
    switch token.kind {
    case .leftBracket: return try integerList()
    case .integer, .minus: return .integer(Int64(try integer("an integer")))
    case .string:
      let value = try stringValue(token)
      try advance()
      return .string(value)
    case .identifier:
      let word = text(token)
      try advance()
      return word == "true" || word == "false" ? .boolean(word == "true") : .enumeration(kind: "", word)
    default: throw error("expected an attribute, found \(tokenDescription)")
    }
  }

  /// `[1, 2]` or `[true, false]`
  mutating func integerList() throws(SourceError) -> AttributeSyntax {
    var element = "i64"
    let values = try bracketed { (parser) throws(SourceError) -> Int64 in
      if parser.isKeyword("true") || parser.isKeyword("false") {
        element = "i1"
        let value: Int64 = parser.isKeyword("true") ? 1 : 0
        try parser.advance()
        return value
      }
      return Int64(try parser.integer("an integer"))
    }
    return .integers(values, element: element)
  }

  mutating func types(_ style: Assembly.TypeStyle, of op: inout SyntaxOp) throws(SourceError) {
    if style == .pairwise, op.operands.isEmpty, !isAtType { return }
    let start = token.start
    var types: [TypeSyntax] = []
    if token.kind == .leftParenthesis {
      types = try parenthesized { (parser) throws(SourceError) in try parser.type() }
      if token.kind != .arrow, style != .functional {
        (op.operandTypes, op.resultTypes) = style == .results ? ([], types) : (types, [])
        return
      }
      try expect(.arrow, "->")
      (op.operandTypes, op.resultTypes) = (types, try resultTypes())
      return
    }
    repeat { types.append(try type()) } while try accept(.comma)
    if try accept(.arrow) {
      (op.operandTypes, op.resultTypes) = (types, try resultTypes())
      return
    }
    let operandCount = op.operands.count
    switch style {
    case .functional: throw source.error("expected operand and result types", at: start)
    case .results: op.resultTypes = types
    case .operands: op.operandTypes = types
    case .pairwise: (op.operandTypes, op.resultTypes) = (types, types)
    case .same, .arrow:
      guard types.count == 1 else { throw source.error("expected one type for operands and result", at: start) }
      op.operandTypes = Array(repeating: types[0], count: operandCount)
      op.resultTypes = types
    case .select:
      guard types.count == 2, operandCount == 3 else {
        throw source.error("expected the types of predicate and result", at: start)
      }
      op.operandTypes = [types[0], types[1], types[1]]
      op.resultTypes = [types[1]]
    case .complex:
      guard types.count == 1, case .tensor(let dimensions, let element) = types[0], element.isComplex else {
        throw source.error("expected a tensor of complex numbers", at: start)
      }
      op.operandTypes = Array(repeating: .tensor(dimensions, element.realPart), count: operandCount)
      op.resultTypes = types
    case .tuple:
      guard types.count == 1, case .tuple(let elements) = types[0] else {
        throw source.error("expected a tuple", at: start)
      }
      (op.operandTypes, op.resultTypes) = (elements, types)
    }
  }
}
