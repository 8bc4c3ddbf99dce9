import IR

/// Numbers that depend on the seed alone (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: Int) { state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Literal {
  /// Small numbers, and now and then what breaks careless code: NaN, infinities, -0, extreme integers.
  static func random(_ type: TensorType, using generator: inout SeededGenerator) -> Literal {
    let shape = type.fixedDimensions ?? []
    let element = type.elementType
    var values: [Scalar] = []
    for _ in 0..<shape.reduce(1, *) {
      let isSpecial = Int.random(in: 0..<10, using: &generator) == 0
      switch element.kind {
      case .boolean: values.append(.integer(Int64.random(in: 0...1, using: &generator)))
      case .signed, .unsigned:
        let extremes: [Scalar] = [element.lowest, element.highest, .integer(0), .integer(1)]
        let small = Scalar.integer(element.wrapped(Int64.random(in: -4...12, using: &generator)))
        values.append(isSpecial ? extremes[Int.random(in: 0..<4, using: &generator)] : small)
      case .float:
        let specials: [Double] = [.nan, .infinity, -.infinity, -0.0, 0]
        let ordinary = Double(Int.random(in: -40...40, using: &generator)) / 8
        values.append(.real(isSpecial ? specials[Int.random(in: 0..<5, using: &generator)] : ordinary))
      case .complex:
        let re = Double(Int.random(in: -40...40, using: &generator)) / 8
        values.append(.complex(re, Double(Int.random(in: -40...40, using: &generator)) / 8))
      }
    }
    return Literal(element, shape, values)
  }

  /// Whether types and all elements agree; a NaN agrees with any NaN.
  func agrees(with other: Literal) -> Bool {
    guard type == other.type else { return false }
    return zip(scalars, other.scalars).allSatisfy { a, b in
      if case .real(let x) = a, case .real(let y) = b {
        return x.isNaN ? y.isNaN : x.bitPattern == y.bitPattern
      }
      return a == b
    }
  }
}

extension Graph {
  /// `(a, b) -> function(a, b)` over scalars, or, for several inputs, each with its own function.
  static func fold(_ functions: [ScalarFunction], _ types: [ElementType]) throws -> Graph {
    var graph = Graph()
    let left = types.map { graph.addParameter(.scalar($0)) }
    let right = types.map { graph.addParameter(.scalar($0)) }
    for (k, function) in functions.enumerated() {
      graph.results.append(try graph.append(.pointwise(function), [left[k], right[k]]))
    }
    return graph
  }

  static func fold(_ function: ScalarFunction, _ type: ElementType) throws -> Graph { try fold([function], [type]) }

  /// For inputs of these types: whether the first's left element stands in `direction` to its right one.
  static func comparator(
    _ types: [ElementType], _ direction: ComparisonDirection = .less, _ order: ComparisonType = .float
  ) throws -> Graph {
    var graph = Graph()
    let sides = types.flatMap { [graph.addParameter(.scalar($0)), graph.addParameter(.scalar($0))] }
    graph.results = [try graph.append(.pointwise(.compare(direction, order)), [sides[0], sides[1]])]
    return graph
  }

  /// `(a, b) -> b`.
  static func second(_ type: ElementType) -> Graph {
    var graph = Graph()
    graph.addParameter(.scalar(type))
    graph.results = [graph.addParameter(.scalar(type))]
    return graph
  }
}

func tensor(_ element: ElementType, _ dimensions: Extent...) -> TensorType { TensorType(element, dimensions) }

extension Literal {
  static func reals(_ values: [Double], _ shape: [Int], _ type: ElementType = .f32) -> Literal {
    Literal(type, shape, values.map { Scalar.real($0) })
  }

  static func integers(_ values: [Int], _ shape: [Int], _ type: ElementType = .i32) -> Literal {
    Literal(type, shape, values.map { Scalar.integer(Int64($0)) })
  }
}
