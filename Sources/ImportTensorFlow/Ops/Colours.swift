import GraphBuilding
import IR

extension Operator {
  /// Colours of images, the last dimension being red, green and blue, or hue, saturation and value.
  static let colours: [Operator] = [
    Operator(
      "RGBToHSV",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        let (hue, saturation, value) = try n.hueSaturationValue(n.channels(of: x))
        return try n.convert(n.joinedChannels([hue, saturation, value]), x.element)
      }),
    Operator(
      "HSVToRGB",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        let parts = try n.channels(of: x)
        return try n.convert(n.colours(hue: parts[0], saturation: parts[1], value: parts[2]), x.element)
      }),
    Operator("AdjustHue", one: turnHue), Operator("AdjustSaturation", one: scaleSaturation),
  ]

  private static func turnHue(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let parts = try n.channels(of: x)
    let turn = try n.reshape(try n.input(1), [])
    let hue = try n.add(n.hueSaturationValue(parts).hue, turn)
    let whole = try n.subtract(hue, n.map(.floor, hue))
    let least = try n.map(.minimum, n.map(.minimum, parts[0], parts[1]), parts[2])
    let greatest = try n.map(.maximum, n.map(.maximum, parts[0], parts[1]), parts[2])
    let range = try n.subtract(greatest, least)
    var channels: [Value] = []
    for share in try n.shares(ofHue: whole) { channels.append(try n.add(least, n.multiply(range, share))) }
    return try n.convert(n.joinedChannels(channels), x.element)
  }

  private static func scaleSaturation(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let (hue, saturation, value) = try n.hueSaturationValue(n.channels(of: x))
    let scaled = try n.multiply(saturation, n.reshape(try n.input(1), []))
    let limited = try n.minimum(n.maximum(scaled, 0), 1)
    return try n.convert(n.colours(hue: hue, saturation: limited, value: value), x.element)
  }
}

extension Lowering {
  /// The three channels of images, in a type that is computed in.
  fileprivate mutating func channels(of x: Value) throws(OpError) -> [Value] {
    guard x.rank > 0, x.shape[x.rank - 1] == 3, x.element.isFloat else {
      throw OpError("it takes colours of three numbers, not \(x.type)")
    }
    let wide = try convert(x, x.element == .f64 ? .f64 : .f32)
    var parts: [Value] = []
    for channel in 0..<3 {
      let part = try slice(wide, axis: x.rank - 1, Extent(channel), Extent(channel + 1))
      parts.append(try squeeze(part, x.rank - 1))
    }
    return parts
  }

  fileprivate mutating func joinedChannels(_ parts: [Value]) throws(OpError) -> Value {
    var wide: [Value] = []
    for part in parts { wide.append(try unsqueeze(part, part.rank)) }
    return try concatenate(wide, axis: parts[0].rank)
  }

  /// The hue from 0 to before 1, the saturation, and the greatest channel.
  fileprivate mutating func hueSaturationValue(
    _ parts: [Value]
  ) throws(OpError) -> (hue: Value, saturation: Value, value: Value) {
    let (red, green, blue) = (parts[0], parts[1], parts[2])
    let value = try map(.maximum, map(.maximum, red, green), blue)
    let range = try subtract(value, map(.minimum, map(.minimum, red, green), blue))
    let saturation = try select(compare(.greater, value, 0), divide(range, value), 0)
    let norm = try divide(1, multiply(range, 6))
    let afterBlue = try add(multiply(norm, subtract(red, green)), 4.0 / 6)
    let afterGreen = try add(multiply(norm, subtract(blue, red)), 2.0 / 6)
    let later = try select(compare(.equal, green, value), afterGreen, afterBlue)
    let any = try select(compare(.equal, red, value), multiply(norm, subtract(green, blue)), later)
    let hue = try select(compare(.greater, range, 0), any, 0)
    return (try select(compare(.less, hue, 0), add(hue, 1), hue), saturation, value)
  }

  /// How much of a full colour of this hue each channel has.
  fileprivate mutating func shares(ofHue hue: Value) throws(OpError) -> [Value] {
    let sixths = try multiply(hue, 6)
    var shares = [try subtract(map(.abs, subtract(sixths, 3)), 1)]
    for middle in [2.0, 4] { shares.append(try subtract(2, map(.abs, subtract(sixths, middle)))) }
    for (channel, share) in shares.enumerated() { shares[channel] = try minimum(maximum(share, 0), 1) }
    return shares
  }

  fileprivate mutating func colours(hue: Value, saturation: Value, value: Value) throws(OpError) -> Value {
    let white = try subtract(1, saturation)
    var channels: [Value] = []
    for share in try shares(ofHue: hue) {
      channels.append(try multiply(add(white, multiply(saturation, share)), value))
    }
    return try joinedChannels(channels)
  }
}
