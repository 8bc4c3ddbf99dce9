import IR

/// A kernel while it is formed: nodes, how each is read, and the anchor.
struct FusionCluster {
  /// What a reduction in the kernel folds, and how its inputs and its results are read.
  struct Folding {
    var row: FusionRegions.Row?
    var inputDimensions: [Extent]
    var dimensions: [Int]
    /// The map of the inputs, and of the results.
    var lines: Int
    var numbers: Int
  }

  var anchor: Fusion.Anchor = .loop
  /// The node that gave the anchor, where it is not the loop itself.
  var anchorNode: Int?
  /// For each node of the kernel, the maps by which it is read.
  var maps: [Int: [Int]] = [:]
  var indexMaps: IndexMaps
  /// The type of what the kernel computes element by element.
  var space: TensorType
  var folding: Folding?
  /// The heavy anchor that the place is kept for.
  var epilogueOf: Int?
  var rowRegion: Int?
  /// The values that are read and not computed, without those that are one number.
  private(set) var operands: Set<Int> = []
  /// How many times the body's elements are written out; reductions weigh more.
  var emissions = 0

  /// How many values the kernel stores.
  var resultCount = 1

  /// What a kernel may hold at most: beyond it compile time grows and registers spill.
  static let emissionLimit = 512
  /// A reduction is a loop of its own, in which what it folds and what the row goes on with are written out again.
  static let reductionEmissions = 64
  static let mapsPerNodeLimit = 16
  /// Devices take so many arguments with offsets (CL_DEVICE_MAX_PARAMETER_SIZE is 1024 bytes), and room for results.
  static let operandLimit = Concatenate.operandLimit
  /// The bytes of one row's values that a row kernel may keep: half of a small second-level cache.
  static let rowByteLimit = 262_144.0

  init(space: TensorType, size: Double) {
    self.space = space
    indexMaps = IndexMaps(size: size)
  }

  /// The maps by which node `user` of the kernel reads `value`.
  mutating func readings(of value: Int, by user: Int, _ units: FusionUnits, _ context: PassContext) -> [Int] {
    var found: [Int] = []
    let node = units.graph.nodes[user]
    for map in maps[user] ?? [] {
      for (position, operand) in node.operands.enumerated() where operand.index == value {
        switch units.semantics[user] {
        case .leaf, .control, .position: break
        case .pointwise: found.append(map)
        case .movement(let movement):
          readings(through: movement, operand: position, from: map, node, units, context, &found)
        case .reduction:
          let isInput = position < node.operands.count / 2
          found.append(isInput ? folded(by: user, from: map, units, context) : scalar(map))
        case .window(.fold(let window, _)):
          let isInput = position < node.operands.count / 2
          // A window of an open extent is a running fold, which reads each element once.
          let isRunning = window.contains { $0.extent.fixed == nil }
          let length = isRunning ? 1 : window.reduce(1.0) { $0 * context.estimate($1.extent) }
          found.append(isInput ? indexMaps.folded(map, length: length) : scalar(map))
        // A kernel over lines reads each element once.
        case .lines: found.append(indexMaps.folded(map, length: 1))
        case .contraction: found.append(indexMaps.operand(isStrided: true))
        case .window, .scatter, .sort, .opaque: found.append(indexMaps.operand(isStrided: false))
        }
      }
    }
    return found
  }

  private mutating func scalar(_ map: Int) -> Int { indexMaps.index([], under: map, share: 1, isBijection: false) }

  private mutating func folded(by reduction: Int, from map: Int, _ units: FusionUnits, _ context: PassContext) -> Int {
    if let folding, folding.numbers == map { return folding.lines }
    guard case .reduction(let fold) = units.semantics[reduction] else { return map }
    let input = units.graph.type(of: units.graph.nodes[reduction].operands[0])
    let length = fold.dimensions.reduce(1.0) { $0 * context.estimate(input.dimensions[$1]) }
    return indexMaps.folded(map, length: length)
  }

  private mutating func readings(
    through movement: Movement, operand position: Int, from map: Int, _ node: Node, _ units: FusionUnits,
    _ context: PassContext, _ found: inout [Int]
  ) {
    if indexMaps[map].purpose != .elements {
      found.append(map)
      return
    }
    let operand = units.graph.type(of: node.operands[position])
    let result = node.resultTypes[0]
    for piece in movement.pieces where piece.operand == position {
      let shape = PieceShape(piece, operand: operand, result: result, isReshape: node.op.isReshape)
      switch shape {
      case .relabelling: found.append(map)
      case .leading(let kept):
        if let folding, let row = folding.row, folding.lines == map, row.leading.count == kept,
          result.significantExtents == row.leading + row.trailing
        {
          found.append(folding.numbers)
        } else if map == IndexMaps.root {
          found.append(indexMaps.projection(kept: kept))
        } else {
          found.append(indexMaps.index(piece.index, under: map, share: 1, isBijection: false))
        }
      case .permutation: found.append(indexMaps.index(piece.index, under: map, share: 1, isBijection: true))
      case .other:
        let isPart = movement.pieces.count > 1 && !piece.conditions.isEmpty
        let share = context.estimatedCount(operand) / max(1, context.estimatedCount(result))
        let read = movement.elementReads.map { node.operands[$0.operand].index }
        found.append(
          indexMaps.index(
            piece.index, reading: read, under: map, share: isPart ? min(1, share) : 1, isBijection: false))
      }
    }
    for read in movement.elementReads where read.operand == position {
      found.append(indexMaps.index(read.index, under: map, share: 1, isBijection: false))
    }
  }
}

extension FusionCluster {
  /// Why the node may not join, or nil where it may; `maps` are its readings.
  ///
  /// Where `isRowNumber` holds, the node is computed once for each row; where `readsNothing` holds, cheaply and from
  /// positions alone.
  func refusal(
    of node: Int, readBy maps: [Int], isRowNumber: Bool, readsNothing: Bool, _ units: FusionUnits,
    _ context: PassContext
  ) -> String? {
    let more = Self.emissions(of: node, maps.count, units)
    guard maps.count <= Self.mapsPerNodeLimit, emissions + more <= Self.emissionLimit else {
      return "the kernel would write out more than \(Self.emissionLimit) operations"
    }
    let further = readValues(of: node, units).subtracting(operands)
    guard further.count <= 1 || operands.count - 1 + further.count <= Self.operandLimit else {
      return "the kernel would read more than \(Self.operandLimit) values"
    }
    let purposes = maps.map { indexMaps[$0].purpose }
    switch units.semantics[node] {
    case .leaf, .control: return "it stays outside kernels"
    case .position, .pointwise, .movement:
      if purposes.contains(where: { $0 != .elements }) { return refusalAsOperand(node, purposes, units) }
      if isRowNumber, maps.allSatisfy({ indexMaps[$0].kept != nil || folding?.numbers == $0 }) { return nil }
      // Each stage's vectors would have elements of all pieces.
      if anchor == .lines, case .movement(let movement) = units.semantics[node], movement.pieces.count > 2 {
        return "the kernel over lines reads vectors in one piece"
      }
      // A mask that positions give costs less than the sums of products it masks, and less memory than to store it.
      if readsNothing, anchor == .attention { return nil }
      return refusalByCost(node, maps, units, context)
    case .reduction(let reduction): return refusal(of: reduction, node, maps, units, context)
    case .contraction, .window, .lines: return refusalAsAnchor(node, maps, units)
    case .scatter, .sort, .opaque: return "its kernel stores its results whole"
    }
  }

  private func refusalAsOperand(_ node: Int, _ purposes: [IndexMaps.Map.Purpose], _ units: FusionUnits) -> String? {
    let canStore = anchor == .scatter || anchor == .sort
    if canStore, case .position = units.semantics[node] { return nil }
    guard !purposes.contains(.whole) else { return "the \(anchor) kernel reads its operands from memory" }
    if units.isView(node) { return "it only names its operand's elements anew, which costs nothing" }
    guard case .movement(let movement) = units.semantics[node], movement.isStrided else {
      return "the contraction reads its operands in place, and packs or repeats them"
    }
    return nil
  }

  private func refusalByCost(_ node: Int, _ maps: [Int], _ units: FusionUnits, _ context: PassContext) -> String? {
    let count = context.estimatedCount(units.type(node))
    let computed = elementCount(maps)
    let extra = max(0, computed - count) * units.cost(of: node)
    guard extra <= units.costOfStoring(node, context) else {
      return "\(Self.rounded(computed)) elements would be computed instead of \(Self.rounded(count))"
    }
    return nil
  }

  /// How many elements are computed of a node that is read by `maps`.
  func elementCount(_ maps: [Int]) -> Double { maps.reduce(0.0) { $0 + indexMaps[$1].size } }

  private func refusalAsAnchor(_ node: Int, _ maps: [Int], _ units: FusionUnits) -> String? {
    guard anchor == .loop else { return "its reader's kernel has the anchor \(anchor.rawValue) already" }
    guard epilogueOf == nil || epilogueOf == node else { return "its reader belongs to another anchor's kernel" }
    guard rowRegion == nil else { return "its reader belongs to a kernel over rows" }
    guard maps.count == 1, indexMaps[maps[0]].isBijection, units.type(node).elementCount == space.elementCount else {
      return "its elements are not read once each"
    }
    var places = EpiloguePlaces(of: node, in: units.graph)
    let readers = self.maps.keys.sorted()
    guard places.add(readers) else { return "where its elements end up is not known" }
    guard !readers.contains(where: { places.scatters($0) && !units.isView($0) }) else {
      return "each of its elements would be stored alone"
    }
    return nil
  }

  private func refusal(
    of reduction: Reduction, _ node: Int, _ maps: [Int], _ units: FusionUnits, _ context: PassContext
  ) -> String? {
    guard anchor == .loop || anchor == .reduction || anchor == .row else {
      return "its reader's kernel has the anchor \(anchor.rawValue) already"
    }
    guard epilogueOf == nil else { return "its reader is the epilogue of a heavier anchor" }
    guard maps.count == 1, indexMaps[maps[0]].purpose == .elements else {
      return "its elements are read at several positions"
    }
    let input = units.graph.type(of: units.graph.nodes[node].operands[0])
    let row = FusionRegions.Row(reduction, input: input)
    if let folding {
      guard maps[0] == folding.numbers else { return "it is read at other positions than the kernel's rows" }
      guard folding.inputDimensions == input.dimensions, folding.dimensions == reduction.dimensions,
        row == folding.row
      else { return "it folds other dimensions than its reader's kernel" }
      return row.flatMap { refusal(of: $0, input, context) }
    }
    if maps[0] == IndexMaps.root { return nil }
    guard let row, indexMaps[maps[0]].kept == row.leading.count, space.dimensions == input.dimensions else {
      return "it is read at other positions than the rows it folds"
    }
    return refusal(of: row, input, context)
  }

  private static func emissions(of node: Int, _ mapCount: Int, _ units: FusionUnits) -> Int {
    switch units.semantics[node] {
    case .reduction: mapCount * reductionEmissions
    case .movement(let movement): mapCount * movement.pieces.count
    default: mapCount
    }
  }

  private func refusal(of row: FusionRegions.Row, _ input: TensorType, _ context: PassContext) -> String? {
    let bytes = row.bytes(input.elementType, context)
    guard bytes <= Self.rowByteLimit else {
      return "two values of a row are \(Self.bytes(bytes)), more than \(Self.bytes(Self.rowByteLimit))"
    }
    return nil
  }

  /// What the kernel reads, if the node is in it, that it does not compute.
  private func readValues(of node: Int, _ units: FusionUnits) -> Set<Int> {
    let members = units.members(of: node)
    var values: Set<Int> = []
    for member in members {
      for operand in units.graph.nodes[member].operands
      where maps[operand.index] == nil && !members.contains(operand.index) && !units.graph.isSplatConstant(operand) {
        values.insert(operand.index)
      }
    }
    return values
  }

  /// Adds what another kernel reads too.
  mutating func addOperands(of other: FusionCluster) {
    operands = operands.union(other.operands).filter { maps[$0] == nil }
  }

  /// Adds a node that may join.
  mutating func add(_ node: Int, readBy maps: [Int], _ units: FusionUnits, _ context: PassContext) {
    operands.formUnion(readValues(of: node, units))
    for member in units.members(of: node) {
      self.maps[member] = maps
      operands.remove(member)
    }
    emissions += Self.emissions(of: node, maps.count, units)
    switch units.semantics[node] {
    case .reduction(let reduction):
      anchorNode = anchorNode ?? node
      addReduction(reduction, node, at: maps[0], units, context)
    case .contraction:
      anchor = .contraction
      anchorNode = node
    case .window:
      anchor = .window
      anchorNode = node
    case .lines:
      anchor = .lines
      anchorNode = node
    case .scatter, .sort, .opaque:
      anchor = units.anchor(of: node) ?? .opaque
      anchorNode = node
    case .leaf, .control, .position, .pointwise, .movement: break
    }
  }

  /// Adds what lies between the scores of an attention and the product, which is the kernel's anchor already.
  mutating func add(_ attention: Attention, _ units: FusionUnits, _ context: PassContext) {
    anchor = .attention
    let map = indexMaps.scores(count: context.estimatedCount(units.type(attention.scores.index)))
    for node in attention.nodes.dropLast() {
      operands.formUnion(readValues(of: node.index, units))
      maps[node.index] = [map]
    }
    operands = operands.filter { maps[$0] == nil }
    emissions += attention.nodes.count
  }

  private mutating func addReduction(
    _ reduction: Reduction, _ node: Int, at map: Int, _ units: FusionUnits, _ context: PassContext
  ) {
    let input = units.graph.type(of: units.graph.nodes[node].operands[0])
    let row = FusionRegions.Row(reduction, input: input)
    if let folding {
      if folding.row != nil { anchor = .row }
      return
    }
    if map == IndexMaps.root {
      anchor = .reduction
      let length = reduction.dimensions.reduce(1.0) { $0 * context.estimate(input.dimensions[$1]) }
      let lines = indexMaps.folded(map, length: length)
      folding = Folding(
        row: row, inputDimensions: input.dimensions, dimensions: reduction.dimensions, lines: lines, numbers: map)
    } else {
      anchor = .row
      let count = (row?.leading ?? []).reduce(1.0) { $0 * context.estimate($1) }
      indexMaps.setSize(count, of: map)
      folding = Folding(
        row: row, inputDimensions: input.dimensions, dimensions: reduction.dimensions, lines: IndexMaps.root,
        numbers: map)
    }
  }

  static func rounded(_ count: Double) -> String { count < 1e15 ? "\(Int(count))" : "\(count)" }

  /// `12.6 MB`
  static func bytes(_ count: Double) -> String {
    if count < 1000 { return "\(rounded(count)) B" }
    let (value, unit) = count < 1e6 ? (count / 1e3, "kB") : (count / 1e6, "MB")
    return "\((value * 10).rounded() / 10) \(unit)"
  }
}

extension FusionUnits {
  /// How many multiplications take as long as storing the node's value in a kernel of its own, and reading it.
  func costOfStoring(_ node: Int, _ context: PassContext) -> Double {
    8 * context.estimatedBytes(type(node)) + 16_384
  }

  /// Roughly how many multiplications one element of the node costs, given its operands' elements.
  func cost(of node: Int) -> Double {
    switch semantics[node] {
    case .pointwise(let function): return function.cost
    case .position: return 1
    case .movement(let movement):
      let choices = Double(2 * (movement.pieces.count - 1))
      return choices + Double(2 * movement.elementReads.count)
    default: return 100
    }
  }
}
