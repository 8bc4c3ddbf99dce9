import IR

/// How items combine values by reading each other's registers, where the target's subgroups can.
///
/// A tree of two levels: within each subgroup without a barrier, and once more over what the subgroups found, which they
/// leave in local memory.
extension KernelBuilder {
  /// The items of a subgroup that read each other's registers, where the group has only whole ones.
  var exchangingItemCount: Int? {
    guard let device = target.workGroups, device.hasShuffles else { return nil }
    let width = device.subgroupItemCount
    return width > 1 && width & (width - 1) == 0 && itemCount % width == 0 ? width : nil
  }

  /// What the item of the subgroup has whose number in the group is `from`.
  mutating func exchange(_ register: Register, from: IntegerExpression) -> Register {
    exchange(register, from: convert(materialize(from, lanes: 1), to: .i32))
  }

  private mutating func exchange(_ register: Register, from: Register) -> Register {
    define(type(of: register), .exchange(register, from: from))
  }

  /// What the item `distance` away has, a power of two less than the subgroup: the two read each other's register.
  mutating func partner(_ register: Register, _ distance: Int) -> Register {
    let item = convert(materialize(.item, lanes: 1), to: .i32)
    return exchange(register, from: apply(.xor, [item, constant(.integer(Int64(distance)), .i32)]))
  }

  /// Whether the partner so far away comes after the item.
  mutating func isBeforePartner(_ distance: Int) -> Register {
    let item = convert(materialize(.item, lanes: 1), to: .i32)
    let bit = apply(.and, [item, constant(.integer(Int64(distance)), .i32)])
    return apply(.compare(.equal, .signed), [bit, constant(.integer(0), .i32)])
  }

  /// The item's number among `count` neighbours, a power of two.
  func itemNumber(among count: Int) -> IntegerExpression {
    IntegerExpression.item.modulo(Extent(count), bound: { self.bound(of: $0) })
  }

  /// The number of the item's subgroup.
  func subgroupNumber(_ width: Int) -> IntegerExpression { IntegerExpression.item.floorDivided(by: Extent(width)) }

  /// Whether the item's number among `count` neighbours is this one.
  mutating func isItem(_ number: Int, among count: Int) -> Register {
    apply(
      .compare(.equal, .signed),
      [materialize(itemNumber(among: count), lanes: 1), constant(.integer(Int64(number)), .i64)])
  }

  /// The values of all items combined, in every item.
  mutating func foldByExchange(_ function: ScalarFunction, _ register: Register, _ width: Int) -> Register {
    let part = foldNeighbours(function, register, count: width)
    if itemCount == width { return part }
    let (array, count) = (foldArray(type(of: register).element, itemCount / width), itemCount / width)
    store(part, array, at: subgroupNumber(width), lanes: 1, mask: isItem(0, among: width))
    append(.barrier)
    let near = min(count, width)
    let position = itemNumber(among: near)
    var whole = load(array, at: position, lanes: 1)
    for first in stride(from: near, to: count, by: near) {
      whole = apply(function, [whole, load(array, at: position + first, lanes: 1)])
    }
    if depth > 1 { append(.barrier) }
    return foldNeighbours(function, whole, count: near)
  }

  /// The values of `count` neighbours combined, in each of them.
  private mutating func foldNeighbours(_ function: ScalarFunction, _ register: Register, count: Int) -> Register {
    var (part, distance) = (register, 1)
    while distance < count {
      part = apply(function, [part, partner(part, distance)])
      distance *= 2
    }
    return part
  }

  /// An array that no item reads any more: two take turns, so that the one barrier of each fold is between the reads of
  /// one and the writes of the one after the next. In a loop, where a fold follows itself, it has another barrier.
  private mutating func foldArray(_ type: ElementType, _ count: Int) -> Memory {
    let turn = depth > 1 ? 2 : foldTurns[type, default: 0]
    if depth == 1 { foldTurns[type] = 1 - turn }
    let key = FoldArray(type: type, turn: turn)
    if let array = foldArrays[key] { return array }
    let array = addShared(type, count: count)
    foldArrays[key] = array
    return array
  }

  /// For each item the fold of its value and those of the neighbours before it, among `count`.
  mutating func runningFold(_ function: ScalarFunction, _ register: Register, count: Int) -> Register {
    var (fold, distance) = (register, 1)
    let number = materialize(itemNumber(among: count), lanes: 1)
    while distance < count {
      let isAfter = apply(
        .compare(.greaterOrEqual, .signed), [number, constant(.integer(Int64(distance)), .i64)])
      let earlier = exchange(fold, from: .maximum(.item - distance, .zero))
      fold = apply(.select, [isAfter, apply(function, [earlier, fold]), fold])
      distance *= 2
    }
    return fold
  }
}

/// One of the arrays through which subgroups combine values.
struct FoldArray: Hashable, Sendable {
  var type: ElementType
  var turn: Int
}
