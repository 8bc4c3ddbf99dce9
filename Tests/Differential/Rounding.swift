import IR
import RandomGraphs

/// What rounding may do to a graph's results, found by evaluating it with errors put in.
///
/// Compiled code may differ from `evaluate` in three kinds of ops only: elementary functions, whose bounds
/// `docs/math.md` states, folds, and products, whose sums run in another order. After each elementary function every element
/// is moved by four units in the last place (one in f16 and bf16, where functions are rounded from f32); before each
/// fold of n elements, and before each product that sums n, every operand's element is moved by n / 2 + 1 units, which
/// is the backward error of summing in any order. Four evaluations move all elements up, all down (by one unit
/// less, so that the last bit changes), and twice by random numbers of units up to that. A result that depends on no such op must have the same bits. Any other must lie within eight times the
/// largest distance that the four moved it, and four units of its own. Where the four change an integer, or make or
/// unmake a NaN or an infinity, the graph is discontinuous and the element is not compared.
struct Rounding {
  enum Direction { case none, up, down, random }

  /// For each node, whether its value may differ between `evaluate` and compiled code.
  static func inexactValues(of graph: Graph) -> [Bool] {
    var inexact = [Bool](repeating: false, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      let ownError = node.isElementary || summedCount(of: node, in: graph) > 0
      inexact[index] = ownError || node.operands.contains { inexact[$0.index] }
    }
    return inexact
  }

  /// The results of `graph`, whose extents are all fixed, with errors in this direction.
  static func evaluate(_ graph: Graph, _ arguments: [Literal], _ direction: Direction, seed: UInt64) throws
    -> [Literal]
  {
    var generator = SeededGenerator(seed: seed)
    let context = EvaluationContext()
    var values = [[Literal]](repeating: [], count: graph.nodes.count)
    let live = graph.liveValues
    for (index, node) in graph.nodes.enumerated() where live[index] {
      if case .parameter(let parameter) = node.op {
        values[index] = [arguments[parameter.index]]
        continue
      }
      var operands = node.operands.flatMap { values[$0.index] }
      let count = direction == .none ? 0 : summedCount(of: node, in: graph)
      if count > 0 { operands = operands.map { $0.moved(Double(count / 2 + 1), direction, &generator) } }
      values[index] = try node.op.definition.evaluate(operands, results: node.resultTypes, in: context)
      if direction != .none, node.isElementary {
        values[index] = values[index].map { $0.moved($0.elementType.byteCount > 2 ? 4 : 1, direction, &generator) }
      }
    }
    return graph.results.map { values[$0.index][0] }
  }

  /// How many rounded terms an element of the node's result sums or multiplies; zero where there is no such fold.
  private static func summedCount(of node: Node, in graph: Graph) -> Int {
    guard let first = node.operands.first, graph[first].hasSingleResult, graph.type(of: first).elementType.isFloat
    else {
      return 0
    }
    let type = graph.type(of: first)
    let extents = type.dimensions.map { $0.fixed ?? 33 }
    switch node.op {
    case .reduce(let reduce):
      return reduce.body.rounds ? reduce.dimensions.reduce(1) { $0 * extents[$1] } : 0
    case .reduceWindow(let reduce):
      return reduce.body.rounds ? reduce.window.reduce(1) { $0 * ($1.extent.fixed ?? 1) } : 0
    case .scatter(let scatter): return scatter.body.rounds ? 4 : 0
    case .dotGeneral(let dot): return dot.dimensions.lhsContracting.reduce(1) { $0 * extents[$1] }
    case .convolution:
      return graph.type(of: node.operands[1]).dimensions.reduce(1) { $0 * ($1.fixed ?? 1) }
    default: return 0
    }
  }
}

extension Node {
  fileprivate var isElementary: Bool {
    guard case .pointwise(let pointwise) = op, resultTypes[0].elementType.isFloat else { return false }
    switch pointwise.function {
    case .cbrt, .cosine, .exponential, .exponentialMinusOne, .log, .logPlusOne, .logistic, .reciprocalSquareRoot, .sine,
      .tangent, .hyperbolicTangent, .arcCosine, .hyperbolicArcCosine, .arcSine, .hyperbolicArcSine, .arcTangent,
      .hyperbolicArcTangent, .hyperbolicCosine, .hyperbolicSine, .digamma, .errorFunction,
      .complementaryErrorFunction, .inverseErrorFunction, .logGamma, .arcTangent2, .power:
      return true
    default: return false
    }
  }
}

extension Graph {
  /// Whether a fold's body adds or multiplies, so that its order matters.
  fileprivate var rounds: Bool {
    nodes.contains { node in
      guard case .pointwise(let pointwise) = node.op else { return false }
      return pointwise.function == .add || pointwise.function == .multiply
    }
  }
}

extension ElementType {
  /// The distance of `value` to its neighbour.
  func unit(_ value: Double) -> Double {
    let (bits, least): (Int, Int) =
      switch self {
      case .f64: (52, -1074)
      case .f32: (23, -149)
      case .f16: (10, -24)
      default: (7, -133)
      }
    let exponent = value == 0 || !value.isFinite ? least : max(Int(value.exponent) - bits, least)
    return Double(sign: .plus, exponent: exponent, significand: 1)
  }
}

extension Literal {
  /// The literal with every finite element moved by `units` of its last places; zeros stay.
  fileprivate func moved(_ units: Double, _ direction: Rounding.Direction, _ generator: inout SeededGenerator)
    -> Literal
  {
    guard elementType.isFloat else { return self }
    let type = elementType
    let values = scalars.map { scalar -> Scalar in
      let value = scalar.realValue
      guard value.isFinite, value != 0 else { return scalar }
      // Odd and even numbers of units, since a later tie may hang on the last bit.
      let step: Double =
        switch direction {
        case .none: 0
        case .up: units
        case .down: 1 - units
        case .random: units - Double(generator.next() % UInt64(2 * units + 1))
        }
      return Scalar(value + (units == 1 && direction == .down ? -1 : step) * type.unit(value), type)
    }
    return Literal(type, dimensions, values)
  }
}
