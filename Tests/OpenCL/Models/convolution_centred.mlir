// Converted bytes less a zero point, channels first, with padding: three channels fill no words.
func.func @main(%x: tensor<1x3x7x6xui8>, %k: tensor<5x3x3x2xi8>, %z: tensor<ui8>) -> tensor<1x5x7x7xi32> {
  %0 = stablehlo.convert %x : (tensor<1x3x7x6xui8>) -> tensor<1x3x7x6xi32>
  %1 = stablehlo.convert %z : (tensor<ui8>) -> tensor<i32>
  %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<i32>) -> tensor<1x3x7x6xi32>
  %3 = stablehlo.subtract %0, %2 : tensor<1x3x7x6xi32>
  %4 = stablehlo.convert %k : (tensor<5x3x3x2xi8>) -> tensor<5x3x3x2xi32>
  %5 = stablehlo.convolution(%3, %4) dim_numbers = [b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1], window = {stride = [1, 1], pad = [[1, 1], [2, 0]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<1x3x7x6xi32>, tensor<5x3x3x2xi32>) -> tensor<1x5x7x7xi32>
  return %5 : tensor<1x5x7x7xi32>
}
