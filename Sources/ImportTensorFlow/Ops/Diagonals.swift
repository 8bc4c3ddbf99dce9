import GraphBuilding
import IR

/// Diagonals of matrices from one to another one, counted upwards from the main one, and at which end shorter ones stand.
private struct Band {
  var least: Int
  var greatest: Int
  var isRightAbove: Bool
  var isRightBelow: Bool

  init(_ n: inout Lowering, _ index: Int, align standard: String) throws(OpError) {
    let limits = try n.integers(of: try n.input(index), "diagonal")
    guard let first = limits.first, let last = limits.last, limits.count <= 2, first <= last,
      limits.allSatisfy({ abs($0) < 1 << 31 })
    else { throw OpError("its diagonals are \(limits)") }
    (least, greatest) = (first, last)
    switch try n.string("align", default: standard) {
    case "LEFT_LEFT": (isRightAbove, isRightBelow) = (false, false)
    case "LEFT_RIGHT": (isRightAbove, isRightBelow) = (false, true)
    case "RIGHT_LEFT": (isRightAbove, isRightBelow) = (true, false)
    case "RIGHT_RIGHT": (isRightAbove, isRightBelow) = (true, true)
    case let name: throw OpError("attribute 'align' is '\(name)'")
    }
  }

  var count: Int { greatest - least + 1 }
  var isMain: Bool { least == 0 && greatest == 0 }
}

extension Operator {
  /// Matrices with given diagonals, and diagonals of matrices.
  static let diagonals: [Operator] = [
    Operator(
      "Diag",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        guard x.rank == 1 else { throw .unsupported("an input of rank \(x.rank)") }
        return try n.diagonalMatrix(x)
      }),
    Operator("MatrixDiag", one: { (n) throws(OpError) in try n.diagonalMatrix(try n.input(0)) }),
    Operator("MatrixDiagPart", one: { (n) throws(OpError) in try n.diagonal(of: try n.input(0)) }),
    Operator(
      "DiagPart",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        guard x.rank == 2 else { throw .unsupported("an input of rank \(x.rank)") }
        return try n.diagonal(of: x)
      }),
    Operator("MatrixSetDiag", one: { (n) throws(OpError) in try n.settingMain(try n.input(0), try n.input(1)) }),
    matrix("MatrixDiagV2", "LEFT_LEFT"), matrix("MatrixDiagV3", "RIGHT_LEFT"), part("MatrixDiagPartV2", "LEFT_LEFT"),
    part("MatrixDiagPartV3", "RIGHT_LEFT"), update("MatrixSetDiagV2", "LEFT_LEFT"),
    update("MatrixSetDiagV3", "RIGHT_LEFT"),
  ]

  private static func matrix(_ name: String, _ align: String) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let x = try n.input(0)
      let band = try Band(&n, 1, align: align)
      guard x.rank >= (band.count == 1 ? 1 : 2) else { throw OpError("\(x.type) has no \(band.count) diagonals") }
      let length = x.shape[x.rank - 1]
      let leastRows = length - min(band.greatest, 0)
      let leastColumns = length + max(band.least, 0)
      var (rows, columns) = (try n.extent(2, "number of rows"), try n.extent(3, "number of columns"))
      let isOpen = (rows == Extent(-1), columns == Extent(-1))
      if isOpen == (true, true) {
        rows = n.arithmetic.maximum(leastRows, leastColumns)
        columns = rows
      } else if isOpen.0 {
        rows = leastRows
      } else if isOpen.1 {
        columns = leastColumns
      }
      if band.isMain, rows == length, columns == length { return [try n.diagonalMatrix(x, besides: try n.input(4))] }
      let outer = Array(x.shape.dropLast(band.count == 1 ? 1 : 2))
      let besides = try n.broadcast(n.reshape(try n.input(4), []), to: outer + [rows, columns], at: [])
      return [try n.setting(band, x, in: besides)]
    }
  }

  private static func part(_ name: String, _ align: String) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let x = try n.input(0)
      let band = try Band(&n, 1, align: align)
      guard x.rank >= 2 else { throw OpError("its input \(x.type) does not hold matrices") }
      if band.isMain, x.shape.suffix(2).allSatisfy(\.isFixed) { return [try n.diagonal(of: x)] }
      return [try n.part(band, of: x, besides: n.reshape(try n.input(2), []))]
    }
  }

  private static func update(_ name: String, _ align: String) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let band = try Band(&n, 2, align: align)
      let (x, diagonals) = (try n.input(0), try n.input(1))
      guard x.rank >= 2, diagonals.rank == x.rank - (band.count == 1 ? 1 : 0) else {
        throw OpError("\(diagonals.type) is no diagonal of \(x.type)")
      }
      return [try band.isMain ? n.settingMain(x, diagonals) : n.setting(band, diagonals, in: x)]
    }
  }
}

extension Lowering {
  /// Square matrices with lines of `x` as their diagonals.
  fileprivate mutating func diagonalMatrix(_ x: Value, besides value: Value? = nil) throws(OpError) -> Value {
    guard let extent = x.shape.last else { throw OpError("its input is a scalar") }
    let matrix = [extent, extent]
    let isOn = try compare(.equal, iota(.i64, matrix, axis: 0), iota(.i64, matrix, axis: 1))
    let wide = try broadcast(x, to: x.shape + [extent], at: Array(0..<x.rank))
    return try select(isOn, wide, value ?? scalar(.zero(x.element), x.element))
  }

  fileprivate mutating func settingMain(_ x: Value, _ diagonal: Value) throws(OpError) -> Value {
    guard x.rank >= 2, let last = diagonal.shape.last, x.shape.suffix(2).contains(last) else {
      throw OpError("\(diagonal.type) is no diagonal of \(x.type)")
    }
    let matrix = Array(x.shape.suffix(2))
    let isOn = try compare(.equal, iota(.i64, matrix, axis: 0), iota(.i64, matrix, axis: 1))
    // The shorter side counts the diagonal.
    let side = last == matrix[0] ? x.rank - 2 : x.rank - 1
    let wide = try broadcast(diagonal, to: x.shape, at: Array(0..<x.rank - 2) + [side])
    return try select(isOn, wide, x)
  }

  /// How long diagonals of a matrix are, and where they begin in a line of `most`.
  private mutating func placed(
    _ offset: Value, _ band: Band, _ rows: Extent, _ columns: Extent, in most: Extent
  ) throws(OpError) -> (length: Value, start: Value) {
    let length = try map(
      .minimum, add(minimum(offset, 0), scalar(of: rows, .i64)), subtract(scalar(of: columns, .i64), maximum(offset, 0))
    )
    let rest = try subtract(scalar(of: most, .i64), length)
    let zero = try splat(0, like: rest)
    return (
      length,
      try select(
        compare(.greaterOrEqual, offset, 0), band.isRightAbove ? rest : zero, band.isRightBelow ? rest : zero)
    )
  }

  /// Matrices with the diagonals of a band in the place of their own.
  fileprivate mutating func setting(_ band: Band, _ diagonals: Value, in x: Value) throws(OpError) -> Value {
    let matrix = Array(x.shape.suffix(2))
    let outer = Array(x.shape.dropLast(2))
    let most = diagonals.shape[diagonals.rank - 1]
    try unify(
      diagonals.shape, outer + (band.count == 1 ? [] : [Extent(band.count)]) + [most],
      "\(diagonals.type) does not hold \(band.count) diagonals of \(x.type)")
    let (row, column) = (try iota(.i64, matrix, axis: 0), try iota(.i64, matrix, axis: 1))
    let offset = try subtract(column, row)
    let isOn = try map(
      .and, compare(.greaterOrEqual, offset, Double(band.least)), compare(.lessOrEqual, offset, Double(band.greatest)))
    let start = try placed(offset, band, matrix[0], matrix[1], in: most).start
    let line = try multiply(subtract(Double(band.greatest), offset), scalar(of: most, .i64))
    let place = try add(add(line, start), map(.minimum, row, column))
    let flat = try reshape(diagonals, outer + [most * band.count])
    let taken = try take(flat, select(isOn, place, 0), axis: outer.count)
    return try select(isOn, taken, x)
  }

  /// The diagonals of a band, those furthest above first.
  fileprivate mutating func part(_ band: Band, of x: Value, besides value: Value) throws(OpError) -> Value {
    let (rows, columns) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
    let outer = Array(x.shape.dropLast(2))
    let most = arithmetic.minimum(rows + min(band.greatest, 0), columns - max(band.least, 0))
    let shape = [Extent(band.count), most]
    let offset = try subtract(Double(band.greatest), iota(.i64, shape, axis: 0))
    let (length, start) = try placed(offset, band, rows, columns, in: most)
    let place = try subtract(iota(.i64, shape, axis: 1), start)
    let isOn = try map(.and, compare(.greaterOrEqual, place, 0), compare(.less, place, length))
    let row = try subtract(place, minimum(offset, 0))
    let element = try add(multiply(row, scalar(of: columns, .i64)), add(place, maximum(offset, 0)))
    let flat = try reshape(x, outer + [rows * columns])
    let taken = try take(flat, select(isOn, element, 0), axis: outer.count)
    let result = try select(isOn, taken, value)
    return band.count == 1 ? try squeeze(result, outer.count) : result
  }
}
