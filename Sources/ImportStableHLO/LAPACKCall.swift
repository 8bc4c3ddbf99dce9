import IR

/// A custom call of a LAPACK routine, as JAX writes it for processors: `lapack_spotrf_ffi` and its like.
///
/// Layouts describe memory only. Operands after the routine's own are the shapes of results that are open.
struct LAPACKCall {
  enum Routine: String, CaseIterable {
    case potrf, trsm, getrf, geqrf, orgqr, syevd, gesdd, gesvd
  }

  let routine: Routine

  init?(_ name: String) {
    guard name.hasPrefix("lapack_"), name.hasSuffix("_ffi") else { return nil }
    let routine = name.dropFirst("lapack_".count).dropLast("_ffi".count)
    guard let letter = routine.first, let known = Routine(rawValue: String(routine.dropFirst())) else { return nil }
    switch known {
    case .potrf, .trsm: guard "sdcz".contains(letter) else { return nil }
    default: guard "sd".contains(letter) else { return nil }
    }
    self.routine = known
  }
}

extension Graph {
  /// Appends what a call of LAPACK means: its results in their order.
  mutating func append(_ routine: LAPACKCall.Routine, _ call: CustomCall, _ node: Node, _ operands: [ValueID])
    throws(OpError) -> [ValueID]
  {
    let place = node.location
    let name = "stablehlo.custom_call @\(call.target)"
    let count = routine == .trsm || routine == .orgqr ? 2 : 1
    guard operands.count >= count, let rank = operands.first.map({ type(of: $0).rank }), rank >= 2 else {
      throw OpError("\(name) does not take \(operands.map { type(of: $0).description }.joined(separator: ", "))")
    }
    let a = operands[0]
    let matrices = routine == .trsm ? [a, operands[1]] : [a]
    for matrix in matrices {
      let type = type(of: matrix)
      if let open = type.dimensions.suffix(2).first(where: { !$0.isFixed }) {
        throw .unsupported("\(name) of matrices whose extent \(open) is open")
      }
    }
    let batch = Array(type(of: a).dimensions.dropLast(2))
    var results: [ValueID]
    var hasVectors = true
    switch routine {
    case .potrf:
      let lower = try call.option("uplo", "LU") == "L"
      let factor = try append(.cholesky(Cholesky(lower: lower)), [a], location: place)
      results = try choleskyResults(a, factor, lower: lower, place)
    case .trsm:
      let transposition: [Character: TriangularSolve.Transposition] = ["N": .none, "T": .transpose, "C": .adjoint]
      let solve = TriangularSolve(
        leftSide: try call.option("side", "LR") == "L", lower: try call.option("uplo", "LU") == "L",
        unitDiagonal: try call.option("diag", "NU") == "U",
        transposeA: transposition[try call.option("trans_x", "NTC")] ?? .none)
      // Open batches of both have symbols of their own, until shapes are resolved.
      results = [
        appendUnchecked(
          Node(
            op: .triangularSolve(solve), operands: [a, operands[1]], resultTypes: [type(of: operands[1])],
            location: place))
      ]
    case .getrf:
      let lu = self.results(of: try append(.luDecomposition(LUDecomposition()), [a], location: place))
      let one = try filled(1, self.type(of: lu[1]), place)
      let pivots = try append(.pointwise(.add), [lu[1], one], location: place)
      results = [lu[0], pivots, try firstZero(lu[0], place)]
    case .geqrf:
      results = self.results(of: try append(.householderQR(HouseholderQR()), [a], location: place))
    case .orgqr:
      results = [try append(.householderProduct(HouseholderProduct()), [a, operands[1]], location: place)]
    case .syevd:
      let lower = try call.option("uplo", "LU") == "L"
      results = self.results(of: try append(.symmetricEigen(SymmetricEigen(lower: lower)), [a], location: place))
      results.append(try filled(0, TensorType(.i32, batch), place))
    case .gesdd, .gesvd:
      // Without vectors, the results that would hold them have either shape.
      let least = leastExtent(type(of: a))
      let full =
        node.resultTypes.count == 5
        && (node.resultTypes[2].dimensions.last != least || node.resultTypes[3].dimensions.suffix(2).first != least)
      hasVectors = try call.option("mode", "NSA") != "N"
      let svd = self.results(of: try append(.singularValues(SingularValues(full: full)), [a], location: place))
      results = [a, svd[1], svd[0], svd[2], try filled(0, TensorType(.i32, batch), place)]
    }
    guard results.count == node.resultTypes.count else {
      throw OpError("\(name) has \(results.count) results, not \(node.resultTypes.count)")
    }
    for (position, (result, declared)) in zip(results, node.resultTypes).enumerated()
    where !type(of: result).mayEqual(declared) && (hasVectors || position < 2) {
      throw OpError("result \(position) of \(name) is \(type(of: result)), not \(declared)")
    }
    return results
  }

  /// How many singular values there are.
  private func leastExtent(_ type: TensorType) -> Extent {
    let (rows, columns) = (type.dimensions[type.rank - 2], type.dimensions[type.rank - 1])
    return (rows.fixed ?? 0) < (columns.fixed ?? 0) ? rows : columns
  }

  /// The factor in its triangle and what was in the other; and 1 where there is no factor, else 0.
  private mutating func choleskyResults(_ a: ValueID, _ factor: ValueID, lower: Bool, _ place: Location) throws(OpError)
    -> [ValueID]
  {
    let type = self.type(of: a)
    let numbers = type.with(.i32)
    let row = try append(.iota(Iota(dimension: type.rank - 2, resultType: numbers)), [], location: place)
    let column = try append(.iota(Iota(dimension: type.rank - 1, resultType: numbers)), [], location: place)
    let direction: ComparisonDirection = lower ? .greaterOrEqual : .lessOrEqual
    let isOwn = try append(.pointwise(.compare(direction, .signed)), [row, column], location: place)
    let both = try append(.pointwise(.select), [isOwn, factor, a], location: place)
    var real = factor
    if type.elementType.isComplex { real = try append(.pointwise(.real), [real], location: place) }
    let isNaN = try append(.pointwise(.compare(.notEqual, .float)), [real, real], location: place)
    let flags = try append(.pointwise(.convert(.i32)), [isNaN], location: place)
    return [both, try greatest(flags, [type.rank - 2, type.rank - 1], place)]
  }

  /// The number, from one, of the first column whose diagonal element is zero; 0 where there is none.
  private mutating func firstZero(_ factors: ValueID, _ place: Location) throws(OpError) -> ValueID {
    let type = self.type(of: factors)
    let numbers = type.with(.i32)
    let row = try append(.iota(Iota(dimension: type.rank - 2, resultType: numbers)), [], location: place)
    let column = try append(.iota(Iota(dimension: type.rank - 1, resultType: numbers)), [], location: place)
    let isDiagonal = try append(.pointwise(.compare(.equal, .signed)), [row, column], location: place)
    let isZero = try append(
      .pointwise(.compare(.equal, .float)), [factors, try filled(0, type, place)], location: place)
    let isSingular = try append(.pointwise(.and), [isDiagonal, isZero], location: place)
    // The first is the one that is furthest from the end.
    let length = min(type.dimensions[type.rank - 2].fixed ?? 0, type.dimensions[type.rank - 1].fixed ?? 0)
    let limit = try filled(Double(length), numbers, place)
    let fromEnd = try append(.pointwise(.subtract), [limit, row], location: place)
    let marked = try append(
      .pointwise(.select), [isSingular, fromEnd, try filled(0, numbers, place)], location: place)
    let last = try greatest(marked, [type.rank - 2, type.rank - 1], place)
    let batch = self.type(of: last)
    let isNone = try append(
      .pointwise(.compare(.equal, .signed)), [last, try filled(0, batch, place)], location: place)
    let first = try append(
      .pointwise(.subtract), [try filled(Double(length + 1), batch, place), last], location: place)
    return try append(.pointwise(.select), [isNone, last, first], location: place)
  }

  private mutating func filled(_ value: Double, _ type: TensorType, _ place: Location) throws(OpError) -> ValueID {
    let scalar = Scalar(value, type.elementType)
    let constant = try append(.constant(.scalar(scalar, type.elementType)), [], location: place)
    return try append(
      .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)), [constant], location: place)
  }

  private mutating func greatest(_ value: ValueID, _ dimensions: [Int], _ place: Location) throws(OpError) -> ValueID {
    let element = type(of: value).elementType
    var body = Graph()
    let (x, y) = (body.addParameter(.scalar(element)), body.addParameter(.scalar(element)))
    body.results = [try body.append(.pointwise(.maximum), [x, y])]
    let zero = try append(.constant(.scalar(.zero(element), element)), [], location: place)
    return try append(.reduce(Reduce(dimensions: dimensions, body: body)), [value, zero], location: place)
  }
}

extension TensorType {
  /// Whether a run may give the types' symbols values with which they are the same.
  fileprivate func mayEqual(_ other: TensorType) -> Bool {
    elementType == other.elementType && rank == other.rank
      && zip(dimensions, other.dimensions).allSatisfy { !$0.isFixed || !$1.isFixed || $0 == $1 }
  }
}

extension CustomCall {
  /// A letter that the routine takes: `uplo = 76 : ui8` is L.
  fileprivate func option(_ name: String, _ allowed: String) throws(OpError) -> Character {
    let text = attributes["mhlo.backend_config"] ?? ""
    for field in text.split(whereSeparator: { "{},".contains($0) }) {
      let sides = field.split(separator: "=").map { $0.filter { !$0.isWhitespace } }
      guard sides.count == 2, sides[0] == name else { continue }
      let code = UInt8(sides[1].prefix { $0.isNumber }) ?? 0
      let letter = Character(UnicodeScalar(code))
      if allowed.contains(letter) { return letter }
    }
    throw OpError("stablehlo.custom_call @\(target) needs \(name) as one of the letters \(allowed), not \(text)")
  }
}
