/// The syntax of an MLIR file, before it means anything: what the generic form says, whichever form was written.
struct SyntaxOp: Sendable {
  /// With its dialect: `stablehlo.add`.
  var name: String
  var position: Int
  var results: [SyntaxDefinition] = []
  var operands: [SyntaxUse] = []
  var operandTypes: [TypeSyntax] = []
  var resultTypes: [TypeSyntax] = []
  /// Properties and dictionary together.
  var attributes: [NamedAttribute] = []
  var regions: [SyntaxRegion] = []
  var location: LocationSyntax?
  /// Whether the op was skipped because its form is unknown; its types and operands are missing.
  var isOpaque = false

  subscript(name: String) -> AttributeSyntax? {
    get { attributes.first { $0.name == name }?.value }
    set {
      attributes.removeAll { $0.name == name }
      if let newValue { attributes.append(NamedAttribute(name: name, value: newValue)) }
    }
  }
}

/// `%name:count` before the equal sign.
struct SyntaxDefinition: Sendable {
  var name: String
  var count: Int = 1
  var position: Int
}

/// `%name#index`.
struct SyntaxUse: Hashable, Sendable {
  var name: String
  var index: Int = 0
  var position: Int
}

struct SyntaxRegion: Sendable {
  var blocks: [SyntaxBlock] = []
}

struct SyntaxBlock: Sendable {
  var arguments: [SyntaxArgument] = []
  var ops: [SyntaxOp] = []
}

struct SyntaxArgument: Sendable {
  var name: String
  var type: TypeSyntax
  var position: Int
  var attributes: [NamedAttribute] = []
  var location: LocationSyntax?
}

struct NamedAttribute: Sendable {
  var name: String
  var value: AttributeSyntax
}

indirect enum TypeSyntax: Hashable, Sendable {
  /// A dimension without a number is `?`.
  case tensor([Int?], ElementType)
  case tuple([TypeSyntax])
  case function([TypeSyntax], [TypeSyntax])
  /// A type that is no tensor: `i64`, `index`, `!stablehlo.token`, as written.
  case other(String)

  var isToken: Bool {
    if case .other(let name) = self { return name.hasSuffix(".token") }
    return false
  }
}

indirect enum AttributeSyntax: Sendable {
  case unit
  case boolean(Bool)
  /// With its type, `i64` where none is written.
  case integer(Int64, String = "i64")
  case float(Double, String = "f64")
  case string(String)
  case symbol(String)
  case type(TypeSyntax)
  case array([AttributeSyntax])
  case dictionary([NamedAttribute])
  case dense(Literal)
  /// `array<i64: 1, 2>`.
  case integers([Int64], element: String = "i64")
  /// `dense_resource<name> : type`.
  case resource(String, TypeSyntax, position: Int)
  /// `#stablehlo<comparison_direction LT>`; the kind is empty where only the value was written.
  case enumeration(kind: String, String)
  /// `#stablehlo.gather<body>`.
  case dialect(String, body: String)
  /// `#name`.
  case alias(String)
  case location(LocationSyntax)
  /// What the compiler has no use for, as written.
  case other(String)
}

indirect enum LocationSyntax: Sendable {
  case unknown
  case alias(String)
  case file(String, line: Int, column: Int)
  case name(String, LocationSyntax)
  case fused([LocationSyntax])
}

extension SyntaxRegion {
  /// The values that the region uses and does not define, each once, in the order of first use.
  var freeUses: [SyntaxUse] {
    var defined: Set<String> = []
    var found: [SyntaxUse] = []
    var seen: Set<SyntaxUseKey> = []
    collectFreeUses(&defined, &found, &seen)
    return found
  }

  private func collectFreeUses(
    _ defined: inout Set<String>, _ found: inout [SyntaxUse], _ seen: inout Set<SyntaxUseKey>
  ) {
    for block in blocks {
      for argument in block.arguments { defined.insert(argument.name) }
      for op in block.ops {
        for use in op.operands where !defined.contains(use.name) {
          if seen.insert(SyntaxUseKey(name: use.name, index: use.index)).inserted { found.append(use) }
        }
        for region in op.regions {
          var inner = defined
          region.collectFreeUses(&inner, &found, &seen)
        }
        for result in op.results { defined.insert(result.name) }
      }
    }
  }
}

/// A use without its place.
struct SyntaxUseKey: Hashable {
  var name: String
  var index: Int
}

/// What a text defines beside ops, by name.
struct SyntaxDefinitions: Sendable {
  /// Attributes, `#name = …`.
  var attributes: [String: AttributeSyntax] = [:]
  /// The places of the strings in which resources are written.
  var resources: [String: Range<Int>] = [:]

  /// The literal whose bytes a resource holds: four bytes of alignment, then the elements.
  func literal(
    ofResource name: String, _ dimensions: [Int], _ element: ElementType, in source: SourceFile, at position: Int
  ) throws(SourceError) -> Literal {
    guard let range = resources[name] else { throw source.error("there is no resource '\(name)'", at: position) }
    var reader = LiteralReader(source: source, position: range.lowerBound, end: range.upperBound, elementType: element)
    let blob = try reader.hexadecimalString()
    guard blob.count >= 4 else { throw source.error("resource '\(name)' has no alignment", at: range.lowerBound) }
    return try reader.literal(dimensions, raw: Array(blob.dropFirst(4)), at: position)
  }
}
