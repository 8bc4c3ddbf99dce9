/// How the elements of an op's results depend on its operands' elements.
///
/// Dimension `k` of the result is `.variable(k)` in every index expression here.
public enum Semantics: Hashable, Sendable {
  /// No tensor operand: a parameter, a constant.
  case leaf
  /// `result[i] = convert(position)`: the element is the integer `position` of its own index (`iota`).
  case position(IntegerExpression)
  /// `result[i] = f(operands[0][i], operands[1][i], …)`; operands have the result's dimensions.
  case pointwise(ScalarFunction)
  /// `result[i]` is one operand element, chosen and found by index arithmetic.
  case movement(Movement)
  /// `results[i] = fold of body over the reduced dimensions, from the initial values`.
  case reduction(Reduction)
  /// `result = sum over contracted dimensions of products`.
  case contraction(Contraction)
  /// A fold or a sum of products over a window that moves over the operands.
  case window(Window)
  /// Each element depends on the whole line of the operand that it has a place in: the result has the operand's dimensions
  /// (`fourier_transform`).
  case lines
  /// The result is the operand with some elements replaced or combined (`scatter`).
  case scatter
  /// Whole lines along one dimension are ordered (`sort`, `top_k`).
  case sort
  /// Nested graphs decide (`while`, `if`, `case`, `call`, fusion), or the program does (`set_dimension_size`).
  case control
  /// Everything else: a kernel of its own.
  case opaque
}

/// Where each result element comes from: the first piece whose conditions hold.
public struct Movement: Hashable, Sendable {
  public struct Condition: Hashable, Sendable {
    /// Holds where `0 <= value < limit`.
    public var value: IntegerExpression
    public var limit: IntegerExpression

    public init(_ value: IntegerExpression, isWithin limit: IntegerExpression) {
      self.value = value
      self.limit = limit
    }
  }

  public struct Piece: Hashable, Sendable {
    public var operand: Int
    /// One expression for each dimension of the operand.
    public var index: [IntegerExpression]
    public var conditions: [Condition]

    public init(operand: Int, index: [IntegerExpression], conditions: [Condition] = []) {
      self.operand = operand
      self.index = index
      self.conditions = conditions
    }
  }

  /// In order; the last has no conditions.
  public var pieces: [Piece]

  public init(_ pieces: [Piece]) { self.pieces = pieces }

  /// Every element from operand 0, at `index`.
  public init(_ index: [IntegerExpression]) { pieces = [Piece(operand: 0, index: index)] }
}

/// A fold over whole dimensions. The first half of the op's operands are inputs, the second half initial values.
public struct Reduction: Hashable, Sendable {
  /// The reduced dimensions of the inputs, ascending.
  public var dimensions: [Int]
  /// Parameters: accumulators, then elements, all scalars; results: new accumulators.
  public var body: Graph

  public init(dimensions: [Int], body: Graph) {
    self.dimensions = dimensions
    self.body = body
  }
}

/// Which dimensions of two operands belong together in a `dot_general`.
///
/// The result's dimensions are batching, then the free ones of the left operand, then those of the right.
public struct Contraction: Hashable, Sendable {
  public var lhsBatching: [Int] = []
  public var rhsBatching: [Int] = []
  public var lhsContracting: [Int] = []
  public var rhsContracting: [Int] = []

  public init(
    lhsBatching: [Int] = [], rhsBatching: [Int] = [], lhsContracting: [Int] = [], rhsContracting: [Int] = []
  ) {
    self.lhsBatching = lhsBatching
    self.rhsBatching = rhsBatching
    self.lhsContracting = lhsContracting
    self.rhsContracting = rhsContracting
  }

  public func lhsFree(rank: Int) -> [Int] {
    (0..<rank).filter { !lhsBatching.contains($0) && !lhsContracting.contains($0) }
  }
  public func rhsFree(rank: Int) -> [Int] {
    (0..<rank).filter { !rhsBatching.contains($0) && !rhsContracting.contains($0) }
  }
}

/// One dimension of a window: its extent and how it moves.
public struct WindowDimension: Hashable, Sendable {
  public var extent: Extent
  public var stride: Int = 1
  public var paddingLow: Int = 0
  public var paddingHigh: Int = 0
  /// Steps between neighbours of the base, with holes between.
  public var baseDilation: Int = 1
  /// Steps between neighbours of the window.
  public var windowDilation: Int = 1
  /// Whether the window is read backwards (convolution only).
  public var isReversed: Bool = false

  public init(
    extent: Extent, stride: Int = 1, paddingLow: Int = 0, paddingHigh: Int = 0, baseDilation: Int = 1,
    windowDilation: Int = 1, isReversed: Bool = false
  ) {
    self.extent = extent
    self.stride = stride
    self.paddingLow = paddingLow
    self.paddingHigh = paddingHigh
    self.baseDilation = baseDilation
    self.windowDilation = windowDilation
    self.isReversed = isReversed
  }

  /// How many positions the window has over a base of `extent`; zero where it does not fit.
  public func outputExtent(base: Extent) -> Extent {
    let dilatedBase = Self.dilated(base, by: baseDilation) + paddingLow + paddingHigh
    let dilatedWindow = Self.dilated(extent, by: windowDilation)
    if let b = dilatedBase.fixed, let w = dilatedWindow.fixed {
      return b == 0 || w > b ? 0 : Extent((b - w).flooredQuotient(stride) + 1)
    }
    return (dilatedBase - dilatedWindow).floorDivided(by: Extent(stride)) + 1
  }

  /// Throws where distances in the window, in the base or its padding are not far from the ends of 64 bits.
  func requireReach(base: Extent) throws(OpError) {
    let most = Int.max >> 2
    for (extent, dilation) in [(extent, windowDilation), (base, baseDilation)] {
      let (reach, overflows) = max(0, (extent.fixed ?? 0) - 1).multipliedReportingOverflow(by: dilation)
      if overflows || reach > most || dilation > most {
        throw OpError("\(extent) elements that lie \(dilation) apart reach beyond 64 bits")
      }
    }
    for padding in [paddingLow, paddingHigh] where padding.magnitude > most {
      throw OpError("a padding of \(padding) reaches beyond 64 bits")
    }
  }

  static func dilated(_ extent: Extent, by dilation: Int) -> Extent {
    if extent == .zero { return .zero }
    return (extent - 1) * dilation + 1
  }
}

/// Which end of a dimension a running fold begins at.
public enum ScanDirection: Hashable, Sendable {
  case forward, backward
}

extension WindowDimension {
  /// Whether the window covers one element at each position of the base.
  public var isTrivial: Bool {
    extent == .one && stride == 1 && paddingLow == 0 && paddingHigh == 0 && baseDilation == 1
  }

  /// The direction of the running fold that the window is: as long as the base, and padded so that at each position
  /// it covers all elements up to there (`forward`) or from there on (`backward`).
  public func scan(over base: Extent) -> ScanDirection? {
    guard extent == base, stride == 1, baseDilation == 1, windowDilation == 1 else { return nil }
    if Extent(paddingLow) == base - 1 && paddingHigh == 0 { return .forward }
    if Extent(paddingHigh) == base - 1 && paddingLow == 0 { return .backward }
    return nil
  }
}

extension [WindowDimension] {
  /// The dimension along which the window is a running fold, where it covers one element along all others: `cumsum`.
  public func scan(over base: [Extent]) -> (dimension: Int, direction: ScanDirection)? {
    let others = indices.filter { !self[$0].isTrivial }
    guard others.count == 1, let direction = self[others[0]].scan(over: base[others[0]]) else { return nil }
    return (others[0], direction)
  }
}

/// A window over operands: what `reduce_window` folds and `convolution` multiplies.
public enum Window: Hashable, Sendable {
  /// A fold of `body`, over all dimensions of the inputs; operands as in `Reduction`.
  case fold([WindowDimension], body: Graph)
  /// A convolution of operand 0 with kernel operand 1.
  case convolution(Convolution)
}
