import IR

/// The ways in which a kernel reads the values inside it, numbered.
///
/// Two readings with one number are at the same position, so that the element is computed once for both.
struct IndexMaps {
  struct Map {
    enum Purpose {
      /// Single elements.
      case elements
      /// An operand of a contraction, which reads it in place: offset and strides.
      case strided
      /// An operand that must lie in memory as it is.
      case whole
    }
    var purpose: Purpose
    /// How many elements are read in one run of the kernel.
    var size: Double
    /// Whether the kernel reads each element once, in the order of its results or a permutation of it.
    var isBijection: Bool
    /// Where the map keeps the leading dimensions of the kernel's space and drops the others, how many it keeps.
    var kept: Int?
    /// Whether neighbours of the kernel's results are read at positions that data says.
    var isGathered = false
  }

  private enum Key: Hashable {
    case root
    /// The elements that a reduction at a position folds.
    case folded(Int)
    case projection(Int)
    /// An index under another map, and the values whose elements it is computed from.
    case index(Int, [IntegerExpression], values: [Int])
    case operand(isStrided: Bool)
    case scores
  }

  private var numbers: [Key: Int] = [:]
  private(set) var maps: [Map] = []

  /// The position that the kernel computes: element by element of its result.
  static let root = 0

  init(size: Double) {
    _ = number(.root) { Map(purpose: .elements, size: size, isBijection: true, kept: nil) }
  }

  subscript(_ number: Int) -> Map { maps[number] }

  private mutating func number(_ key: Key, _ map: () -> Map) -> Int {
    if let known = numbers[key] { return known }
    maps.append(map())
    numbers[key] = maps.count - 1
    return maps.count - 1
  }

  /// The elements a fold of `length` elements reads at each position of `parent`.
  mutating func folded(_ parent: Int, length: Double) -> Int {
    let size = maps[parent].size * length
    return number(.folded(parent)) { Map(purpose: .elements, size: size, isBijection: false, kept: nil) }
  }

  /// The leading `kept` dimensions of the kernel's space.
  mutating func projection(kept: Int) -> Int {
    let size = maps[Self.root].size
    return number(.projection(kept)) { Map(purpose: .elements, size: size, isBijection: false, kept: kept) }
  }

  /// `values` are the nodes of which the index reads elements.
  mutating func index(
    _ index: [IntegerExpression], reading values: [Int] = [], under parent: Int, share: Double, isBijection: Bool
  ) -> Int {
    let size = index.allSatisfy(\.isFixed) ? 1 : maps[parent].size * share
    let keeps = isBijection && maps[parent].isBijection
    let isGathered = maps[parent].isGathered || (index.last { !$0.isFixed }?.readsElements ?? false)
    return number(.index(parent, index, values: values)) {
      Map(purpose: .elements, size: size, isBijection: keeps, kept: nil, isGathered: isGathered)
    }
  }

  mutating func operand(isStrided: Bool) -> Int {
    number(.operand(isStrided: isStrided)) {
      Map(purpose: isStrided ? .strided : .whole, size: 0, isBijection: false, kept: nil)
    }
  }

  /// The elements of an attention's scores, each once.
  mutating func scores(count: Double) -> Int {
    number(.scores) { Map(purpose: .elements, size: count, isBijection: false, kept: nil) }
  }

  /// A map of another kernel, under a number of its own here.
  mutating func adopt(_ map: Map) -> Int {
    maps.append(map)
    return maps.count - 1
  }

  /// Says that the map is read once for each row, not once for each element.
  mutating func setSize(_ size: Double, of number: Int) { maps[number].size = size }
}

/// How one piece of a data movement reads its operand, seen without dimensions of extent 1.
enum PieceShape {
  /// The same elements in the same order.
  case relabelling
  /// The same elements in another order.
  case permutation
  /// The leading dimensions, as many as said; the others are repeated.
  case leading(Int)
  case other

  init(_ piece: Movement.Piece, operand: TensorType, result: TensorType, isReshape: Bool) {
    self = .other
    guard piece.conditions.isEmpty else { return }
    let inner = operand.significantDimensions
    let outer = result.significantDimensions
    var variables: [Int] = []
    for dimension in inner {
      guard case .variable(let variable)? = piece.index[dimension].atom else {
        if isReshape { self = .permutation }
        return
      }
      variables.append(variable)
    }
    let extentsAgree = zip(inner, variables).allSatisfy { operand.dimensions[$0] == result.dimensions[$1] }
    guard extentsAgree else { return }
    if variables == outer {
      self = .relabelling
    } else if variables.count == outer.count, variables.sorted() == outer {
      self = .permutation
    } else if variables.count < outer.count, variables == Array(outer.prefix(variables.count)) {
      self = .leading(variables.count)
    }
  }
}

extension Movement {
  /// Whether every element comes from one operand at an index that is linear, so that it can be read through strides.
  var isStrided: Bool {
    guard pieces.count == 1 else { return false }
    return pieces[0].index.allSatisfy { expression in
      expression.terms.allSatisfy { term in
        term.factors.filter(\.isVariable).count <= 1 && term.factors.allSatisfy { $0.isVariable || $0.isSymbol }
      }
    }
  }

  /// The reads of operands as indices: which operand, at which index.
  var elementReads: [(operand: Int, index: [IntegerExpression])] {
    var found: [(operand: Int, index: [IntegerExpression])] = []
    func visit(_ atom: IntegerExpression.Atom) {
      if case .element(let operand, let index) = atom { found.append((operand, index)) }
    }
    for piece in pieces {
      for expression in piece.index { expression.visitAtoms(visit) }
      for condition in piece.conditions {
        condition.value.visitAtoms(visit)
        condition.limit.visitAtoms(visit)
      }
    }
    return found
  }
}

extension IntegerExpression {
  /// Whether elements of an operand decide the value.
  fileprivate var readsElements: Bool {
    var found = false
    visitAtoms { atom in
      if case .element = atom { found = true }
    }
    return found
  }
}

extension IntegerExpression.Atom {
  fileprivate var isVariable: Bool {
    if case .variable = self { return true }
    return false
  }

  fileprivate var isSymbol: Bool {
    if case .symbol = self { return true }
    return false
  }
}
