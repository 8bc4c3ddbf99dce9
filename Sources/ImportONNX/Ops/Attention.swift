import GraphBuilding
import IR

extension Operator {
  /// Attention and what belongs to it, as graphs of products, softmax and loops.
  static let attention: [Operator] = [
    Operator("Attention", scaledDotProduct),
    Operator("FlexAttention", domain: "ai.onnx.preview", flexAttention),
    Operator("RotaryEmbedding", one: rotaryEmbedding),
    Operator("LinearAttention", linearAttention),
  ]

  /// Queries, keys and values as `[batch, heads, steps, size]`.
  private struct Heads {
    var q: Value
    var k: Value
    var v: Value
    var isPacked: Bool
  }

  private static func heads(_ n: inout Lowering) throws(OpError) -> Heads {
    let (q, k, v) = (try n.input(0), try n.input(1), try n.input(2))
    let queryHeads = try n.int("q_num_heads")
    let keyHeads = try n.int("kv_num_heads")
    guard q.rank == k.rank, k.rank == v.rank, q.rank == 3 || q.rank == 4 else {
      throw OpError("its inputs are \(q.type), \(k.type) and \(v.type)")
    }
    guard q.rank == 3 else { return Heads(q: q, k: k, v: v, isPacked: false) }
    let (queries, keys) = (try n.required(queryHeads, "q_num_heads"), try n.required(keyHeads, "kv_num_heads"))
    return Heads(
      q: try n.splitHeads(q, queries), k: try n.splitHeads(k, keys), v: try n.splitHeads(v, keys), isPacked: true)
  }

  private static func scaledDotProduct(_ n: inout Lowering) throws(OpError) -> [Value] {
    var heads = try heads(&n)
    var offset: Value?
    var hasCache = false
    if let pastKey = n.optional(4), let pastValue = n.optional(5) {
      offset = try n.scalar(of: pastKey.shape[2], .i64)
      heads.k = try n.concatenate([pastKey, heads.k], axis: 2)
      heads.v = try n.concatenate([pastValue, heads.v], axis: 2)
    } else if let lengths = n.optional(6) {
      hasCache = true
      let steps = try n.scalar(of: heads.q.shape[2], .i64)
      offset = try n.reshape(
        n.subtract(n.convert(lengths, .i64), steps), [lengths.type.elementCount, .one, .one, .one])
    }
    let scale = try n.scale(heads.q)
    let cap = try n.float("softcap", default: 0)
    let mode = try n.int("qk_matmul_output_mode", default: 0)
    let precision = try n.elementAttribute("softmax_precision")
    var scores = try n.scores(heads.q, heads.k, scale)
    var captured = scores
    if cap != 0 { scores = try n.multiply(n.map(.hyperbolicTangent, n.divide(scores, cap)), cap) }
    if mode == 1 { captured = scores }
    let (bias, mayHideRows) = try bias(&n, scores, offset, hasCache: hasCache)
    if let bias { scores = try n.add(scores, bias) }
    if mode == 2 { captured = scores }
    var weights = try n.softmax(n.convert(scores, precision ?? scores.element), [3])
    if let bias, mayHideRows {
      // A row that may see nothing has weights of 0.
      let most = try n.reduce(bias, [bias.rank - 1], .maximum, keep: true)
      weights = try n.select(n.compare(.equal, most, -.infinity), n.scalar(0, weights.element), weights)
    }
    weights = try n.convert(weights, heads.q.element)
    if mode == 3 { captured = weights }
    var result = try n.mixed(weights, heads.v)
    if heads.isPacked { result = try n.joinHeads(result) }
    return [result, heads.k, heads.v, captured]
  }

  /// What is added to the scores: 0 where a query sees a key, negative infinity where it does not, and the mask's own
  /// numbers; also whether all keys may be hidden from a query.
  private static func bias(
    _ n: inout Lowering, _ scores: Value, _ offset: Value?, hasCache: Bool
  ) throws(OpError) -> (Value?, Bool) {
    let plane = Array(scores.shape.suffix(2))
    let isCausal = try n.flag("is_causal")
    let left = try n.int("left_window_size", default: -1)
    let right = try n.int("right_window_size", default: -1)
    guard left >= -1, right >= -1 else {
      throw OpError("its window reaches \(left) to the left and \(right) to the right")
    }
    var parts: [Value] = []
    func hide(_ isVisible: Value) throws(OpError) {
      parts.append(try n.select(isVisible, n.scalar(0, scores.element), n.scalar(-.infinity, scores.element)))
    }
    if var mask = n.optional(3) {
      mask = try padded(&n, mask, to: plane[1])
      if mask.element.isBoolean { try hide(mask) } else { parts.append(try n.convert(mask, scores.element)) }
    }
    let hasMask = !parts.isEmpty
    if isCausal || left >= 0 || right >= 0 {
      var position = try n.iota(.i64, plane, axis: 0)
      if let offset { position = try n.add(position, offset) }
      let key = try n.iota(.i64, plane, axis: 1)
      if isCausal { try hide(n.compare(.lessOrEqual, key, position)) }
      if left >= 0 { try hide(n.compare(.lessOrEqual, n.subtract(position, key), Double(left))) }
      if right >= 0 { try hide(n.compare(.lessOrEqual, n.subtract(key, position), Double(right))) }
    }
    if hasCache, let lengths = n.optional(6) {
      let limits = try n.reshape(n.convert(lengths, .i64), [lengths.type.elementCount, .one, .one, .one])
      try hide(n.compare(.less, n.iota(.i64, [plane[1]], axis: 0), limits))
    }
    guard var bias = parts.first else { return (nil, false) }
    for part in parts.dropFirst() { bias = try n.add(bias, part) }
    return (bias, hasMask || hasCache || left >= 0 || right >= 0)
  }

  /// The mask with as many columns as there are keys; keys beyond it are hidden.
  private static func padded(_ n: inout Lowering, _ mask: Value, to keys: Extent) throws(OpError) -> Value {
    guard mask.rank >= 1 else { throw OpError("its mask is \(mask.type)") }
    let missing = keys - mask.shape[mask.rank - 1]
    if missing == .zero { return mask }
    guard n.arithmetic.isNonNegative(missing) else {
      throw .unsupported(
        "whether a mask of \(mask.shape[mask.rank - 1]) columns has enough for \(keys) keys is not known")
    }
    let hidden = mask.element.isBoolean ? n.scalar(0, .i1) : n.scalar(-.infinity, mask.element)
    return try n.pad(mask, axis: mask.rank - 1, hidden, low: 0, high: missing)
  }

  /// Attention whose scores and weights pass through subgraphs of the model.
  private static func flexAttention(_ n: inout Lowering) throws(OpError) -> [Value] {
    let (q, k, v) = (try n.input(0), try n.input(1), try n.input(2))
    guard q.rank == 4, k.rank == 4, v.rank == 4 else {
      throw OpError("its inputs are \(q.type), \(k.type) and \(v.type)")
    }
    let scale = try n.scale(q)
    let precision = try n.elementAttribute("softmax_precision") ?? .f32
    let element: ElementType = q.element == .f64 ? .f64 : precision
    var scores = try n.scores(n.convert(q, element), n.convert(k, element), scale)
    if n.has("score_mod") { scores = try modified(&n, scores, "score_mod") }
    var weights = try n.softmax(scores, [3])
    if n.has("prob_mod") { weights = try modified(&n, weights, "prob_mod") }
    return [try n.convert(n.mixed(weights, n.convert(v, weights.element)), q.element)]
  }

  private static func modified(_ n: inout Lowering, _ x: Value, _ name: String) throws(OpError) -> Value {
    guard let result = try n.inline(try n.subgraph(name), [x]).first, result.shape == x.shape else {
      throw OpError("attribute '\(name)' does not keep the shape \(x.type)")
    }
    return result
  }

  // MARK: Rotary embedding

  private static func rotaryEmbedding(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    var (cosine, sine) = (try n.input(1), try n.input(2))
    let isInterleaved = try n.flag("interleaved")
    let count = try n.int("num_heads", default: 0)
    var rotated = try n.int("rotary_embedding_dim", default: 0)
    // [batch, steps, heads, size]
    let split: Value
    switch x.rank {
    case 4: split = try n.transpose(x, [0, 2, 1, 3])
    case 3:
      guard count > 0 else { throw OpError("attribute 'num_heads' is \(count)") }
      split = try n.transpose(n.splitHeads(x, count), [0, 2, 1, 3])
    default: throw OpError("its input is \(x.type)")
    }
    guard let size = split.shape[3].fixed else { throw .unsupported("heads of size \(split.shape[3])") }
    if rotated == 0 { rotated = size }
    guard rotated > 0, rotated <= size, rotated % 2 == 0 else {
      throw OpError("it rotates \(rotated) of \(size) elements")
    }
    let half = Extent(rotated / 2)
    if let positions = n.optional(3) {
      cosine = try n.take(cosine, positions, axis: 0)
      sine = try n.take(sine, positions, axis: 0)
    }
    guard cosine.rank == 3, sine.rank == 3, cosine.shape[2] == half, sine.shape[2] == half else {
      throw OpError("its caches \(cosine.type) and \(sine.type) do not fit \(rotated) rotated elements")
    }
    cosine = try n.unsqueeze(cosine, 2)
    sine = try n.unsqueeze(sine, 2)
    let head = try n.slice(split, axis: 3, 0, Extent(rotated))
    let (first, second): (Value, Value)
    if isInterleaved {
      first = try n.slice(head, axis: 3, 0, Extent(rotated), step: 2)
      second = try n.slice(head, axis: 3, 1, Extent(rotated), step: 2)
    } else {
      first = try n.slice(head, axis: 3, 0, half)
      second = try n.slice(head, axis: 3, half, Extent(rotated))
    }
    let real = try n.subtract(n.multiply(cosine, first), n.multiply(sine, second))
    let imaginary = try n.add(n.multiply(sine, first), n.multiply(cosine, second))
    var result: Value
    if isInterleaved {
      result = try n.concatenate([n.unsqueeze(real, 4), n.unsqueeze(imaginary, 4)], axis: 4)
      result = try n.reshape(result, head.shape)
    } else {
      result = try n.concatenate([real, imaginary], axis: 3)
    }
    if rotated < size {
      result = try n.concatenate([result, n.slice(split, axis: 3, Extent(rotated), Extent(size))], axis: 3)
    }
    return x.rank == 4 ? try n.transpose(result, [0, 2, 1, 3]) : try n.reshape(result, x.shape)
  }

  // MARK: Linear attention

  /// A state of keys times values that every step decays and adds to; one step after the other.
  private static func linearAttention(_ n: inout Lowering) throws(OpError) -> [Value] {
    n.ignore("chunk_size")
    let (q, k, v) = (try n.input(0), try n.input(1), try n.input(2))
    let queryHeads = try n.required(n.int("q_num_heads"), "q_num_heads")
    let keyHeads = try n.required(n.int("kv_num_heads"), "kv_num_heads")
    let rule = try n.string("update_rule", default: "gated_delta")
    guard ["linear", "gated", "delta", "gated_delta"].contains(rule), q.rank == 3, k.rank == 3, v.rank == 3,
      queryHeads > 0, keyHeads > 0, queryHeads % keyHeads == 0
    else {
      throw OpError("its update rule is '\(rule)', its heads \(queryHeads) and \(keyHeads)")
    }
    let (batch, steps, heads) = (q.shape[0], q.shape[1], Extent(keyHeads))
    let keySize = k.shape[2].floorDivided(by: heads)
    let valueSize = v.shape[2].floorDivided(by: heads)
    let given = try n.float("scale", default: 0)
    let keys = try n.convert(n.reshape(k, [batch, steps, heads, keySize]), .f32)
    let values = try n.convert(n.reshape(v, [batch, steps, heads, valueSize]), .f32)
    let group = Extent(queryHeads / keyHeads)
    let queries = try n.convert(n.reshape(q, [batch, steps, heads, group, keySize]), .f32)
    guard let fixed = keySize.fixed, fixed > 0 else { throw .unsupported("keys of size \(keySize)") }
    let scale = given == 0 ? 1 / Double(fixed).squareRoot() : given
    var decay: Value?
    if rule.hasPrefix("gated") {
      let input = try n.convert(try n.input(4), .f32)
      let perKey = input.shape[2] == k.shape[2] && keySize != .one
      decay = try n.map(.exponential, n.reshape(input, [batch, steps, heads, perKey ? keySize : .one, .one]))
    }
    var rate: Value?
    if rule.hasSuffix("delta") {
      let input = try n.convert(try n.input(5), .f32)
      rate = try n.broadcast(n.reshape(input, [batch, steps, input.shape[2], .one]), to: [batch, steps, heads, .one])
    }
    let state: Value
    if let past = n.optional(3) {
      state = try n.convert(past, .f32)
    } else {
      state = try n.splat(0, .f32, [batch, heads, keySize, valueSize])
    }
    let results = try n.collecting(count: steps, [state]) { (n, step, carried) throws(OpError) in
      let key = try n.element(of: keys, at: step, axis: 1)
      var value = try n.element(of: values, at: step, axis: 1)
      var state = carried[0]
      if let decay { state = try n.multiply(state, n.element(of: decay, at: step, axis: 1)) }
      if let rate {
        let known = try n.dot(state, key, batching: ([0, 1], [0, 1]), contracting: ([2], [2]))
        value = try n.multiply(n.subtract(value, known), n.element(of: rate, at: step, axis: 1))
      }
      let update = try n.multiply(n.unsqueeze(key, 3), n.unsqueeze(value, 2))
      state = try n.add(state, update)
      let query = try n.element(of: queries, at: step, axis: 1)
      let output = try n.dot(query, state, batching: ([0, 1], [0, 1]), contracting: ([3], [2]))
      return [state, try n.multiply(output, scale)]
    }
    // [steps, batch, heads, group, size]
    let output = try n.reshape(
      n.transpose(results[1], [1, 0, 2, 3, 4]), [batch, steps, Extent(queryHeads) * valueSize])
    return [try n.convert(output, q.element), try n.convert(results[0], n.optional(3)?.element ?? q.element)]
  }
}

extension Lowering {
  /// `[batch, steps, heads * size]` as `[batch, heads, steps, size]`.
  mutating func splitHeads(_ x: Value, _ count: Int) throws(OpError) -> Value {
    let size = x.shape[2].floorDivided(by: Extent(count))
    guard count > 0, size * count == x.shape[2] else { throw OpError("\(x.type) does not fall into \(count) heads") }
    return try transpose(reshape(x, [x.shape[0], x.shape[1], Extent(count), size]), [0, 2, 1, 3])
  }

  /// `[batch, heads, steps, size]` as `[batch, steps, heads * size]`.
  mutating func joinHeads(_ x: Value) throws(OpError) -> Value {
    try reshape(transpose(x, [0, 2, 1, 3]), [x.shape[0], x.shape[2], x.shape[1] * x.shape[3]])
  }

  /// The attribute 'scale'; without it one over the square root of a head's size.
  mutating func scale(_ q: Value) throws(OpError) -> Double {
    if let scale = try float("scale") { return scale }
    guard let size = q.shape[3].fixed, size > 0 else { throw .unsupported("heads of size \(q.shape[3])") }
    return 1 / Double(size).squareRoot()
  }

  /// The queries' products with the keys, `[batch, query heads, queries, keys]`; groups of query heads share a key head.
  mutating func scores(_ q: Value, _ k: Value, _ scale: Double) throws(OpError) -> Value {
    var (queries, keys) = (q, k)
    if q.element.bitWidth < 32 {
      // Narrow types overflow less where both sides take the root.
      queries = try multiply(q, scale.squareRoot())
      keys = try multiply(k, scale.squareRoot())
    } else {
      queries = try multiply(q, scale)
    }
    if q.shape[1] == k.shape[1] { return try dot(queries, keys, batching: ([0, 1], [0, 1]), contracting: ([3], [3])) }
    let grouped = try dot(
      reshape(queries, try groupedShape(q, k)), keys, batching: ([0, 1], [0, 1]), contracting: ([4], [3]))
    return try reshape(grouped, [q.shape[0], q.shape[1], q.shape[2], k.shape[2]])
  }

  /// The values mixed by weights `[batch, query heads, queries, keys]`.
  mutating func mixed(_ weights: Value, _ v: Value) throws(OpError) -> Value {
    if weights.shape[1] == v.shape[1] {
      return try dot(weights, v, batching: ([0, 1], [0, 1]), contracting: ([3], [2]))
    }
    let grouped = try dot(
      reshape(weights, try groupedShape(weights, v)), v, batching: ([0, 1], [0, 1]), contracting: ([4], [2]))
    return try reshape(grouped, [weights.shape[0], weights.shape[1], weights.shape[2], v.shape[3]])
  }

  private func groupedShape(_ q: Value, _ k: Value) throws(OpError) -> [Extent] {
    let group = q.shape[1].floorDivided(by: k.shape[1])
    guard group * k.shape[1] == q.shape[1] else { throw OpError("\(q.shape[1]) heads do not share \(k.shape[1])") }
    return [q.shape[0], k.shape[1], group, q.shape[2], q.shape[3]]
  }
}
