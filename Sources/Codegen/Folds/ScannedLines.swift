import IR

/// The running fold of a fusion, and the lines along which it runs.
struct ScannedLines {
  let center: CentralNode
  let body: Graph
  let type: TensorType
  let dimension: Int
  let direction: ScanDirection
  /// The values whose lines are folded.
  let inputs: [ValueID]

  /// Nil where there is not one running fold.
  init?(_ request: SchedulingRequest) {
    let graph = request.body
    let live = graph.liveValues
    var found: [(ValueID, ReduceWindow, Scan)] = []
    for value in graph.values where live[value.index] {
      guard case .reduceWindow(let fold) = graph[value].op else { continue }
      guard let scan = Scan(fold, graph[value], in: graph) else { return nil }
      found.append((value, fold, scan))
    }
    guard found.count == 1, case (let value, let fold, let scan) = found[0] else { return nil }
    center = CentralNode(value, of: request)
    (body, dimension, direction, inputs) = (fold.body, scan.dimension, scan.direction, scan.inputs)
    type = graph.type(of: inputs[0])
  }

  private struct Scan {
    var inputs: [ValueID]
    var dimension: Int
    var direction: ScanDirection

    /// Nil where the window is no running fold. Padding of an open extent is a `pad` in front of the window, with what
    /// changes no fold.
    init?(_ fold: ReduceWindow, _ node: Node, in graph: Graph) {
      inputs = Array(node.operands.prefix(node.operands.count / 2))
      if let scan = fold.window.scan(over: graph.type(of: inputs[0]).dimensions) {
        (dimension, direction) = scan
        return
      }
      guard inputs.count == 1, case .pad(let pad) = graph[inputs[0]].op,
        case .constant(let constant) = graph[graph[inputs[0]].operands[1]].op,
        let value = constant.value.splatValue, let function = fold.body.associativeFunction,
        function.neutral(node.type.elementType) == value, pad.interior.allSatisfy({ $0 == 0 })
      else { return nil }
      inputs = [graph[inputs[0]].operands[0]]
      let base = graph.type(of: inputs[0]).dimensions
      let padded = base.indices.filter { pad.low[$0] != .zero || pad.high[$0] != .zero }
      guard padded.count == 1, let along = padded.first,
        fold.window.indices.allSatisfy({ $0 == along || fold.window[$0].isTrivial }),
        fold.window[along] == WindowDimension(extent: base[along] + 1)
      else { return nil }
      dimension = along
      switch (pad.low[along], pad.high[along]) {
      case (base[along], .zero): direction = .forward
      case (.zero, base[along]): direction = .backward
      default: return nil
      }
    }
  }

  var request: SchedulingRequest { center.request }
  var value: ValueID { center.value }
  var node: Node { request.body[value] }
  var inputCount: Int { inputs.count }
  /// Elements of a line.
  var length: Extent { type.dimensions[dimension] }
  /// The dimensions that number the lines, and their extents.
  var others: [Int] { type.dimensions.indices.filter { $0 != dimension } }
  var otherExtents: [Extent] { others.map { type.dimensions[$0] } }
  var lineCount: Extent { otherExtents.reduce(.one) { $0 * $1 } }

  /// The function, where the parts of a line can be folded apart.
  var associativeFunction: ScalarFunction? {
    inputCount == 1 && !type.elementType.isComplex ? body.associativeFunction : nil
  }

  /// The type in which a line is folded.
  var sumType: ElementType {
    body.resultTypes[0].elementType.arithmeticType
  }

  /// The index of the element that comes at `position` in the direction of the fold.
  func index(ofLine positions: [IntegerExpression], at position: IntegerExpression) -> [IntegerExpression] {
    var index = [IntegerExpression](repeating: .zero, count: type.rank)
    for (d, position) in zip(others, positions) { index[d] = position }
    index[dimension] = direction == .forward ? position : length - 1 - position
    return index
  }

  /// What `steps` gives for the outputs, and the rest.
  func scheduled(_ steps: ([CentralNode.Output], inout ScheduledFusion) -> [ScheduledFusion.Step]) -> ScheduledFusion {
    center.scheduled(over: type.dimensions, steps)
  }
}
